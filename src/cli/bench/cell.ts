import type { BenchKind } from '../../prove/index.js';
import type { PolicySpec } from '../../run/index.js';

/** One line of the table: faults of one kind in one setting. Plain data: it crosses to the worker that measures. */
export interface CellRequest {
  readonly kind: BenchKind;
  /** The policy's word, and what it means. */
  readonly policy: string;
  readonly spec: PolicySpec;
  readonly pages: number;
  readonly order: 'random' | 'page';
  readonly threads: number;
  /** Faults that are timed one by one. */
  readonly faults: number;
  /** With the tracer on: the steps of each fault. */
  readonly withSteps: boolean;
  readonly cwd: string;
}

/** ns, what the clock itself takes already taken off. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface StepTime extends Percentiles {
  readonly step: string;
  readonly count: number;
}

export interface CellResult extends Percentiles {
  /** ns per fault when thousands are timed together: median over those. */
  readonly ns: number;
  /** What a fault takes on the clock of the model, ns: mean. */
  readonly modelNs: number;
  /** What it takes to read the clock twice, ns. */
  readonly clockNs: number;
  readonly steps: readonly StepTime[];
}

/** What the worker says: measured; left out, since there are no such faults under this policy; a mistake of the person. */
export type CellAnswer =
  | { readonly kind: 'measured'; readonly result: CellResult }
  | { readonly kind: 'left-out'; readonly why: string }
  | { readonly kind: 'mistake'; readonly code: string; readonly message: string };

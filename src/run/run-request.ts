import type { MachineDescription } from '../hardware/index.js';
import type { Asked } from '../policy/index.js';
import type { Moment, RunSpec } from './run-spec.js';

/** Everything one run needs; plain data, so that it can cross to the worker thread that carries it out. */
export interface RunRequest {
  readonly tracePath: string;
  readonly spec: RunSpec;
  readonly machine: MachineDescription;
  readonly seed: number;
  readonly options: ReplayOptions;
  /** The misses of the trace count times this; absent: as they are. */
  readonly missFactor?: number;
  /** Each named step is written there; absent: nobody watches. */
  readonly traceLog?: TraceLogPart;
  /** What policies that are not bundled are being asked, for whoever watches that they return; absent: nobody does. */
  readonly asked?: Asked;
}

/** Where the log of one run goes: a file of its own, which is put together with those of other runs later. */
export interface TraceLogPart {
  readonly path: string;
  /** A key of `LOG_FORMATS`. */
  readonly format: string;
  /** Number of the run within the log, from 0, and its words. */
  readonly index: number;
  readonly name: string;
}

/** Options of the command, the same for all its runs. */
export interface ReplayOptions {
  /** Rows decide the order of effects, or the CPU that is furthest behind goes next. */
  readonly order: 'rows' | 'clocks';
  /** Cost of an access that hits a cache, ns. */
  readonly hitNs: number;
  /** Misses in flight at once: their latency is divided by it. At least 1. */
  readonly mlp: number;
  /** Region of interest; null: from the first row of a second thread, until the end. */
  readonly from: Moment | null;
  readonly until: Moment | null;
  /** How often the region of interest is replayed, or for how much virtual time. */
  readonly repeat: { readonly times: number } | { readonly seconds: number };
  /** Nodes with another amount of memory than the machine says. */
  readonly memory: readonly MemoryLimit[];
}

/** 4 KiB pages, or a share (1 = all) of the pages that the trace touches. */
export type MemoryLimit =
  { readonly node: number; readonly pages: number } | { readonly node: number; readonly share: number };

export const DEFAULT_OPTIONS: ReplayOptions = {
  order: 'rows',
  hitNs: 1,
  mlp: 2,
  from: null,
  until: null,
  repeat: { times: 1 },
  memory: [],
};

/** Called from time to time with how many rows run number `run` has behind it. */
export type Progress = (run: number, rowsDone: number) => void;

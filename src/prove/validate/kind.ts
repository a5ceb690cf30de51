import type { MachineDescription, SourceField } from '../../hardware/index.js';
import type { Dimension } from './units.js';

/** A parameter of a kind: the same word for the file, for the documentation and for the code. */
export interface Parameter {
  readonly about: string;
  /** Unit of its numbers; empty: a plain number, a list of such, or a text. */
  readonly unit: string;
  readonly form: 'number' | 'numbers' | 'text';
  /** Without it, nothing can be computed, unless the machine has it. */
  readonly isRequired?: true;
  /** What it is when nobody says. */
  readonly initial?: number | string;
  /** No source gives `initial`: the report lists it where it was used. */
  readonly isAssumed?: true;
  /** A whole number, and its limits. */
  readonly whole?: readonly [least: number, most: number];
  /** If nobody has it, the greatest x, where x are numbers: what was varied is no secret. */
  readonly isGreatestX?: true;
  /** The words that a text may be. */
  readonly words?: readonly string[];
  /** Where the machine's profile has it. */
  readonly machine?: {
    readonly field: SourceField;
    /**
     * @param cpuNode whose CPUs look
     * @returns undefined if this machine's has not
     */
    readonly read: (machine: MachineDescription, cpuNode: number) => number | readonly number[] | undefined;
  };
}

/** The parameters of one row, complete and checked. Asking for one that is not there is a bug of the kind. */
export interface Values {
  number(name: string): number;
  numbers(name: string): readonly number[];
  text(name: string): string;
  has(name: string): boolean;
}

/** Why a row has no prediction. Not a mistake. */
export interface Uncomputable {
  readonly because: string;
}

/** A kind of figure: what it computes, and from what. One file of kinds/ each. */
export interface Kind {
  readonly name: string;
  readonly about: string;
  /** What y may be. */
  readonly y: readonly Dimension[];
  /** What y means. */
  readonly yMeans: string;
  /** The parameter that x gives where it is a number; null: x says nothing that is computed with. */
  readonly x: string | null;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The prediction, in base units of `dimension` (units.ts). Knows nothing of y. */
  compute(values: Values, dimension: Dimension): number | Uncomputable | Promise<number | Uncomputable>;
}

export const defineKind = (kind: Kind): Kind => kind;

export const cannot = (because: string): Uncomputable => ({ because });

/** Accesses per sample, unless a case says otherwise: one alone would measure the clock. */
export const LOOP = 4096;

/** The policies that the reference in C has as well. */
export const POLICY_NAMES = ['default', 'bind', 'interleave', 'preferred'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** What reference/reference.c is asked to do. */
export interface ReferenceCase {
  readonly name: 'tlb-hit' | 'miss-present' | 'swap-cache-well-placed' | 'swap-cache-misplaced' | 'replay-tlb-hit';
  readonly policy: PolicyName;
  readonly order?: 'random' | 'page';
  readonly contents?: boolean;
  /** The working set is no larger, whatever is asked for. */
  readonly mostPages?: number;
}

/** A case that is ready: `prepare` is not timed, `run` is. Both get the number of operations. */
export interface Prepared {
  prepare(count: number): void | Promise<void>;
  run(count: number): void | Promise<void>;
  /** @throws Error if what was run was not what the name says */
  verify(): void;
}

/** One row of the table. */
export interface BenchCase {
  /** What it does; then, each after a colon: a policy other than default, and what else is special. */
  readonly name: string;
  /** What `ns` is per. */
  readonly unit: 'access' | 'fault' | 'page' | 'row' | 'answer' | 'call';
  /** The same work in plain C; null: there is none. */
  readonly reference: ReferenceCase | null;
  /** Operations per sample. */
  readonly loop?: number;
  /** `run` gives a promise. */
  readonly isAsync?: true;
  /** Above this the machine would need more memory than it is likely to have. */
  readonly maxPages?: number;
  /** @param pages working set */
  make(pages: number): Promise<Prepared>;
}

/** `tlb-hit`, `tlb-hit:bind`, `swap-cache-misplaced:bind:page-order`. */
export function label(name: string, policy: string, ...more: readonly string[]): string {
  return [name, ...(policy === 'default' ? [] : [policy]), ...more].join(':');
}

/**
 * What one run leaves behind: plain data, the same bytes for the same inputs and seed. Written by engine/replay.ts,
 * merged by run/, printed by report/. Numbers are counts unless the name says its unit.
 */
export interface RunResult {
  /** The RUN word as given, and its parts. */
  readonly run: string;
  readonly policy: string;
  /** Nodes of the policy, as they were when the run began. */
  readonly nodes: string;
  readonly profile: string;
  readonly machine: string;
  readonly trace: string;
  readonly seed: number;
  /** `attainable` of the policy, and false too once a hook moved a page (no mainline kernel does that). */
  readonly attainable: boolean;
  /** False when the policy itself is one that cannot be had (`stay`, `oracle`), whatever happened in the run. */
  readonly policyAttainable: boolean;
  readonly outcome: RunOutcome;
  readonly whole: PhaseResult;
  /** The region of interest (`--from`, `--until`; default from the first row of a second thread). */
  readonly region: PhaseResult;
  readonly regionRows: { readonly from: number; readonly until: number };
  /** Before the first action, between actions, after the last: in time order; one element if there are no actions. */
  readonly phases: readonly PhaseResult[];
  readonly actions: readonly ActionResult[];
  /** Pages mapped or cached per node at the end of the region of interest. */
  readonly pagesPerNode: readonly number[];
  /** Every counter that is not zero, by its /proc/vmstat name (or the model's own, README "Counters"). */
  readonly counters: Readonly<Record<string, number>>;
  /** numastat's counters, one array element per node. */
  readonly nodeCounters: Readonly<Record<string, readonly number[]>>;
  /**
   * Time at which each output event of the trace happened, ns of its thread's clock, and how much of it went into moving
   * pages on the way that led there: calls, faults taken again, copies, waiting for threads that did the same.
   */
  readonly marks: readonly {
    readonly row: number;
    readonly text: string;
    readonly atNs: number;
    readonly movingNs: number;
  }[];
  /** Sentences: what was assumed (machine values, cost parameters, read-ahead off, …). */
  readonly assumptions: readonly string[];
}

export type RunOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'oom'; readonly row: number; readonly thread: number; readonly nodes: string }
  | { readonly kind: 'sigbus'; readonly row: number; readonly thread: number }
  | { readonly kind: 'failed'; readonly message: string };

export interface PhaseResult {
  readonly name: string;
  readonly rows: { readonly from: number; readonly until: number };
  /** Estimated time, ns: from the phase's first row to the last clock. */
  readonly timeNs: number;
  /** Sum over threads of the time spent in memory accesses, faults and moves. */
  readonly accessNs: number;
  readonly faultNs: number;
  /** Of `faultNs`: faults taken again on pages that were unmapped and are still in memory, or that a mover took out to swap. */
  readonly refaultNs: number;
  readonly migrationNs: number;
  /** Of `timeNs`: what went into moving pages on the way to the last clock: calls, faults taken again, copies, waiting for them. */
  readonly lostNs: number;
  /** From the phase's start until pages were moved, or faulted in again after a move, for the last time; 0: never. */
  readonly settledNs: number;
  readonly accessesLocal: number;
  readonly accessesRemote: number;
  readonly missesLocal: number;
  readonly missesRemote: number;
  /** Misses on the zero page, included above: they are charged to the lowest node with memory. */
  readonly missesZeroPage: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly migration: {
    readonly tried: number;
    readonly done: number;
    /** Condition or step that refused (C1..C6, M1..M5a) → how often. */
    readonly failed: Readonly<Record<string, number>>;
  };
  /** Swap slots in use at its end, pages written to swap and read from it meanwhile. */
  readonly swap: SwapUse;
  /** Pages mapped or cached on each node at its end; at the end of the trace: before it frees memory there. */
  readonly pagesPerNode: readonly number[];
}

export interface ActionResult {
  readonly action: string;
  /** Row before which it was carried out; null: its moment never came. */
  readonly row: number | null;
  readonly process: number;
  /** What the move itself cost: unmapping and copying apart from the faults taken again. */
  readonly ownNs: number;
  readonly pagesTouched: number;
  readonly note: string;
  /** Of actions that move or unmap pages: swap slots taken, pages written to swap and read from it meanwhile. */
  readonly swap?: SwapUse;
  /** Of actions that move pages by a call: what it returned, if that was an error. */
  readonly errno?: string;
  /** Of actions that move pages by a call: what came of them. */
  readonly moved?: MovedPages;
  /** Of a node whose memory was to be taken away: every page that is still there, and why. Empty: none is. */
  readonly leftovers?: readonly LeftoverPage[];
  /** Of a move by another process: the process's numa_maps as the mover reads it, before and after. */
  readonly numaMaps?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** A page that could not leave a node: its frame, its page number in the trace if that is known, and the reason. */
export interface LeftoverPage {
  readonly frame: number;
  readonly page: number | null;
  readonly reason: string;
}

/** Of swap: slots in use (or taken), pages written, pages read. */
export interface SwapUse {
  readonly slots: number;
  readonly written: number;
  readonly read: number;
}

export interface MovedPages {
  /** Copied to another frame. */
  readonly moved: number;
  /** In a cache and mapped by nobody, so that each follows its next toucher. */
  readonly unmapped: number;
  /** Out of memory: out to swap, or dropped from their file's cache. */
  readonly gone: number;
  /** Taken in hand, and put back. */
  readonly failed: number;
  /** Beside those that failed, still on a node that they should have left; the note says why. */
  readonly left: number;
}

/** Share of remote misses of a phase, 0 when there were none. */
export function remoteShare(phase: PhaseResult): number {
  const all = phase.missesLocal + phase.missesRemote;
  return all === 0 ? 0 : phase.missesRemote / all;
}

/** The columns that a kind fills: `TraceBatch` without thread and quantum, which follow from the phase. */
export interface RowColumns {
  readonly page: Uint32Array;
  readonly op: Uint8Array;
  readonly count: Uint32Array;
  readonly miss: Uint32Array;
}

/** Whose turn it is, and where in its work. Refilled for every stretch of rows. */
export interface Turn {
  process: number;
  /** Within its process, from 0. */
  thread: number;
  /** The thread's unit of work, from 0, and the row within it, with which the stretch begins. */
  unit: number;
  rowOfUnit: number;
  /** The first row's number within the quantum. */
  rowOfQuantum: number;
  /** Of this quantum alone: `randomAt(seed, …)` by the number of the row in the quantum. */
  seed: number;
}

/**
 * A stretch of the trace in which some threads do the same kind of work: equally many units each, which take equally
 * many rows, in turns of whole units.
 */
export interface Phase {
  /** Processes [first, first + count), and of each of them threads [first, first + count). */
  readonly processes: { readonly first: number; readonly count: number };
  readonly threads: { readonly first: number; readonly count: number };
  /** Units of each thread. */
  readonly units: number;
  readonly rowsPerUnit: number;
  /** Printed when it is over: by the first thread of the first process, or of whom it says. */
  readonly output?: { readonly text: string; readonly process?: number; readonly thread?: number };
  /** Stretches of pages that their process gives back when it is over, without unmapping them. */
  readonly discards?: readonly { readonly process: number; readonly firstPage: number; readonly pages: number }[];
  /** Writes `rows` rows at index `at`; they are all of one quantum. */
  write(out: RowColumns, at: number, rows: number, turn: Turn): void;
}

/** A phase in its place. */
export interface PlacedPhase {
  readonly phase: Phase;
  readonly firstRow: number;
  readonly endRow: number;
  readonly firstQuantum: number;
  readonly actors: number;
  /** Units of a full turn; rows of a round of full turns. */
  readonly turnUnits: number;
  readonly roundRows: number;
  /** Rounds of full turns; units of each turn of the one after them, 0 if there is none. */
  readonly fullRounds: number;
  readonly lastUnits: number;
}

/** @param quantumRows rows of a turn: whole units, at least one */
export function placePhases(phases: readonly Phase[], quantumRows: number): PlacedPhase[] {
  let firstRow = 0;
  let firstQuantum = 0;
  return phases.map((phase) => {
    const { units, rowsPerUnit } = phase;
    const actors = phase.processes.count * phase.threads.count;
    const turnUnits = Math.max(1, Math.floor(quantumRows / rowsPerUnit));
    const fullRounds = Math.floor(units / turnUnits);
    const lastUnits = units % turnUnits;
    const endRow = firstRow + actors * units * rowsPerUnit;
    const roundRows = actors * turnUnits * rowsPerUnit;
    const placed = { phase, firstRow, endRow, firstQuantum, actors, turnUnits, roundRows, fullRounds, lastUnits };
    firstRow = endRow;
    firstQuantum += actors * (fullRounds + (lastUnits > 0 ? 1 : 0));
    return placed;
  });
}

/** First and last row of a thread in a phase that has it, by its place among those that take turns. */
export function rowsOfActor(placed: PlacedPhase, actor: number): { first: number; last: number } {
  const { firstRow, phase, turnUnits, fullRounds, lastUnits, roundRows } = placed;
  const turnRows = (round: number) => (round < fullRounds ? turnUnits : lastUnits) * phase.rowsPerUnit;
  const lastRound = lastUnits > 0 ? fullRounds : fullRounds - 1;
  return {
    first: firstRow + actor * turnRows(0),
    last: firstRow + lastRound * roundRows + (actor + 1) * turnRows(lastRound) - 1,
  };
}

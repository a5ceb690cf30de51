import type { Blueprint } from './kind.js';
import { placePhases, type PlacedPhase, type Turn } from './phase.js';
import { describeTrace } from './describe-trace.js';
import { BATCH_ROWS, makeColumns, type Columns, type TraceBatch } from '../batch.js';
import type { TraceSource } from '../trace-source.js';
import { MmError } from '../../errors.js';
import { randomAt } from '../../random.js';

const QUANTUM_LIMIT = 2 ** 32;

export interface Generated {
  /** The words that make it: its name, and what it is called in errors. */
  readonly name: string;
  readonly title: string;
  readonly threads: number;
  readonly processes: number;
  /** Rows of a turn, about. */
  readonly quantum: number;
  readonly seed: number;
  readonly blueprint: Blueprint;
}

/**
 * A trace that is made while it is read. Batches are cut where the reader of a file cuts them, so that a replay cannot tell.
 * @throws MmError BAD_OPTION if there are more quanta than the format can number
 */
export function generatedSource(generated: Generated): TraceSource {
  const { name, seed, quantum, blueprint } = generated;
  const phases = placePhases(blueprint.phases, quantum);
  const sidecar = describeTrace(generated, phases);
  const last = phases[phases.length - 1];
  if (last.firstQuantum + last.actors * (last.fullRounds + 1) > QUANTUM_LIMIT)
    throw new MmError('BAD_OPTION', `${name}: more than ${String(QUANTUM_LIMIT)} quanta; give a longer quantum=ROWS`);
  const rows = last.endRow;
  const write = makeRowWriter(phases, generated.threads / generated.processes, seed);

  // eslint-disable-next-line @typescript-eslint/require-await -- a file's batches are awaited, and so are these
  async function* batches({ fromRow = 0 }: { readonly fromRow?: number } = {}): AsyncGenerator<TraceBatch> {
    const columns = makeColumns(Math.min(rows, BATCH_ROWS));
    for (let firstRow = fromRow; firstRow < rows;) {
      const end = Math.min(rows, (Math.floor(firstRow / BATCH_ROWS) + 1) * BATCH_ROWS);
      write(columns, firstRow, end - firstRow);
      yield { firstRow, rows: end - firstRow, ...cut(columns, end - firstRow) };
      firstRow = end;
    }
  }

  const batchCount = Math.ceil(rows / BATCH_ROWS);
  return { name: sidecar.name, path: name, sidecar, rows, batchCount, batches, close: () => undefined };
}

/** Every column as long as the batch. */
function cut({ quantum, tid, page, op, count, miss }: Columns, rows: number): Columns {
  return {
    quantum: quantum.subarray(0, rows),
    tid: tid.subarray(0, rows),
    page: page.subarray(0, rows),
    op: op.subarray(0, rows),
    count: count.subarray(0, rows),
    miss: miss.subarray(0, rows),
  };
}

/** @returns writes rows [firstRow, firstRow + rows) to the beginning of the columns */
function makeRowWriter(phases: readonly PlacedPhase[], threadsEach: number, seed: number) {
  const turn: Turn = { process: 0, thread: 0, unit: 0, rowOfUnit: 0, rowOfQuantum: 0, seed: 0 };

  return (out: Columns, firstRow: number, rows: number): void => {
    let place = phaseAt(phases, firstRow);
    for (let at = 0; at < rows;) {
      if (firstRow + at >= phases[place].endRow) place++;
      const placed = phases[place];
      const { phase, actors, turnUnits, fullRounds, lastUnits } = placed;
      const row = firstRow + at - placed.firstRow;
      const round = Math.floor(row / placed.roundRows);
      const turnRows = (round < fullRounds ? turnUnits : lastUnits) * phase.rowsPerUnit;
      const rowOfRound = row - round * placed.roundRows;
      const actor = Math.floor(rowOfRound / turnRows);
      const rowOfQuantum = rowOfRound - actor * turnRows;
      const quantum = placed.firstQuantum + round * actors + actor;
      const unitOfTurn = Math.floor(rowOfQuantum / phase.rowsPerUnit);
      const processOfPhase = Math.floor(actor / phase.threads.count);
      turn.process = phase.processes.first + processOfPhase;
      turn.thread = phase.threads.first + actor - processOfPhase * phase.threads.count;
      turn.unit = round * turnUnits + unitOfTurn;
      turn.rowOfUnit = rowOfQuantum - unitOfTurn * phase.rowsPerUnit;
      turn.rowOfQuantum = rowOfQuantum;
      turn.seed = randomAt(seed, quantum);
      const length = Math.min(rows - at, turnRows - rowOfQuantum);
      out.quantum.fill(quantum, at, at + length);
      out.tid.fill(turn.process * threadsEach + turn.thread, at, at + length);
      phase.write(out, at, length, turn);
      at += length;
    }
  };
}

/** The phase with this row, found by bisection. */
function phaseAt(phases: readonly PlacedPhase[], row: number): number {
  let low = 0;
  let high = phases.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (phases[middle].endRow <= row) low = middle + 1;
    else high = middle;
  }
  return low;
}

import { MmError } from '../../errors.js';
import type { Moment } from '../../run/run-spec.js';
import type { Sidecar, TraceProcess } from '../../trace/index.js';

/** A moment of a run for one process: the row before which it is. Null: it never comes. */
export function rowOfMoment(moment: Moment, process: TraceProcess, sidecar: Sidecar): number | null {
  switch (moment.kind) {
    case 'start':
      return process.first_row;
    case 'threads': {
      const created = sidecar.threads.filter((thread) => thread.process === process.pid && thread.parent !== null);
      return created.length === 0 ? null : Math.min(...created.map((thread) => thread.start_row));
    }
    case 'row':
      return within(moment.row, process);
    case 'percent':
      return process.first_row + Math.floor(((process.last_row + 1 - process.first_row) * moment.percent) / 100);
    case 'event':
      return rowOfOutput(moment.text, sidecar, process);
  }
}

/** The same for a whole trace, as `--from` and `--until` want it. @throws MmError if the moment never comes */
export function rowOfTraceMoment(moment: Moment, sidecar: Sidecar, option: string): number {
  if (moment.kind === 'start') return 0;
  if (moment.kind === 'row') {
    if (moment.row <= sidecar.rows) return moment.row;
    const last = String(sidecar.rows);
    throw new MmError(
      'BAD_OPTION',
      `${option}: there is no row ${String(moment.row)}; the trace has ${last} (row:${last} is its end)`,
    );
  }
  if (moment.kind === 'percent') return Math.floor((sidecar.rows * moment.percent) / 100);
  const rows = sidecar.processes.map((process) => rowOfMoment(moment, process, sidecar)).filter((row) => row !== null);
  if (rows.length > 0) return Math.min(...rows);
  const what =
    moment.kind === 'event' ? `no output of the trace contains "${moment.text}"` : 'no process creates a thread';
  const outputs = sidecar.events.filter((event) => event.kind === 'output').map((event) => event.text);
  const known = moment.kind === 'event' && outputs.length > 0 ? ` Outputs: ${outputs.slice(0, 8).join(' | ')}` : '';
  throw new MmError('BAD_OPTION', `${option}: ${what}.${known}`);
}

function within(row: number, process: TraceProcess): number | null {
  return row >= process.first_row && row <= process.last_row ? row : null;
}

function rowOfOutput(text: string, sidecar: Sidecar, process: TraceProcess): number | null {
  const threads = new Set(
    sidecar.threads.filter((thread) => thread.process === process.pid).map((thread) => thread.tid),
  );
  const found = sidecar.events.find(
    (event) => event.kind === 'output' && threads.has(event.tid) && event.text.includes(text),
  );
  return found?.row ?? null;
}

import { regionsOf } from './areas.js';
import type { Generated } from './generated-source.js';
import { rowsOfActor, type PlacedPhase } from './phase.js';
import { PAGE_LIMIT, type Sidecar, type TraceEvent } from '../sidecar-schema.js';
import { MmError } from '../../errors.js';
import { formatPages } from '../../memory-size.js';

/** The sidecar of a generated trace. @throws MmError BAD_OPTION if it has more pages than the format can number */
export function describeTrace(generated: Generated, phases: readonly PlacedPhase[]): Sidecar {
  const { name, title, threads, processes, blueprint } = generated;
  const { areas } = blueprint;
  const rows = phases[phases.length - 1].endRow;
  const pages = areas.reduce((sum, area) => sum + area.pages, 0);
  if (pages > PAGE_LIMIT)
    throw new MmError(
      'BAD_OPTION',
      `${name} needs ${formatPages(pages)}; expected at most ${formatPages(PAGE_LIMIT)}: give a smaller size`,
    );
  const each = threads / processes;
  const lives = Array.from({ length: processes }, (_, process) => lifeOf(process, phases));
  const firstThreadRow = (process: number, thread: number) =>
    Math.max(lives[process].first, firstPhaseOf(process, thread, phases)?.firstRow ?? 0);
  const { regions, mappings } = regionsOf(
    areas,
    lives.map(({ first }) => first),
    lives.map((_, process) => process * each),
  );
  return {
    ...{ format: 'numa-page-trace', version: 1, name, title, page_bytes: 4096, rows, capture: {} },
    processes: lives.map((life, pid) => ({
      ...{ pid, name: `process ${String(pid)}`, first_row: life.first, last_row: life.last, rows: life.rows },
      truncated: false,
    })),
    threads: Array.from({ length: threads }, (_, tid) => {
      const process = Math.floor(tid / each);
      const thread = tid - process * each;
      const parent = thread === 0 ? null : process * each;
      return { tid, process, parent, start_row: firstThreadRow(process, thread), end_row: null };
    }),
    regions,
    file_mappings: mappings,
    events: phases.flatMap((placed) => eventsAfter(placed, each)),
  };
}

interface Life {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
}

/** Rows of a process: its first, its last, how many. Every process of a kind is in some phase. */
function lifeOf(process: number, phases: readonly PlacedPhase[]): Life {
  let life: Life = { first: Infinity, last: 0, rows: 0 };
  for (const placed of phases) {
    const { phase } = placed;
    const place = process - phase.processes.first;
    if (place < 0 || place >= phase.processes.count) continue;
    const { count } = phase.threads;
    life = {
      first: Math.min(life.first, rowsOfActor(placed, place * count).first),
      last: rowsOfActor(placed, place * count + count - 1).last,
      rows: life.rows + count * phase.units * phase.rowsPerUnit,
    };
  }
  return life;
}

function firstPhaseOf(process: number, thread: number, phases: readonly PlacedPhase[]): PlacedPhase | undefined {
  const has = ({ first, count }: { first: number; count: number }, which: number) =>
    which >= first && which < first + count;
  return phases.find(({ phase }) => has(phase.processes, process) && has(phase.threads, thread));
}

function eventsAfter({ phase, endRow }: PlacedPhase, each: number): TraceEvent[] {
  const { output, discards = [] } = phase;
  const events: TraceEvent[] = discards.map(({ process, firstPage, pages }) => ({
    ...{ row: endRow, kind: 'discard', tid: process * each, first_page: firstPage, pages },
  }));
  if (output === undefined) return events;
  const { text, process = phase.processes.first, thread = 0 } = output;
  return [...events, { row: endRow, kind: 'output', tid: process * each + thread, text }];
}

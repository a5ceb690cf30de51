import type { Task } from '../../mm/index.js';
import type { RunResult } from '../../stats/index.js';
import type { MemoryRegion, Sidecar, TraceEvent } from '../../trace/index.js';
import { Rank, type Agenda } from './agenda.js';
import type { Clocks } from './clocks.js';
import type { TraceMemory } from './trace-memory.js';
import type { TraceTasks } from './trace-tasks.js';

export interface TraceAgendaParts {
  readonly sidecar: Sidecar;
  readonly tasks: TraceTasks;
  readonly memory: TraceMemory;
  readonly clocks: Clocks;
  /** Filled with the output events and the clock of who printed them. */
  readonly marks: RunResult['marks'][number][];
}

/** Everything the sidecar says about rows: starts and ends, mappings, discards, outputs. */
export function fillAgenda(agenda: Agenda, parts: TraceAgendaParts): void {
  const { sidecar, tasks, memory } = parts;
  for (const process of sidecar.processes) {
    agenda.add({ row: process.first_row, rank: Rank.processStart, carryOut: () => tasks.startProcess(process) });
  }
  for (const thread of sidecar.threads) {
    agenda.add({ row: thread.start_row, rank: Rank.threadStart, carryOut: () => tasks.startThread(thread) });
  }
  for (const region of sidecar.regions) if (region.kind !== 'file') planRegion(agenda, parts, region);
  for (const mapping of sidecar.file_mappings) {
    const row = rowInProcess(mapping.map_row, mapping.process, sidecar);
    const forMain = (act: (task: Task) => void) => () => withMain(tasks, mapping.process, act);
    agenda.add({ row, rank: Rank.map, carryOut: forMain((task) => memory.mapFile(mapping, task)) });
    if (mapping.unmap_row !== null) {
      const carryOut = forMain((task) => memory.unmapFile(mapping, task));
      agenda.add({ row: mapping.unmap_row, rank: Rank.unmap, frees: true, carryOut });
    }
  }
  for (const event of sidecar.events) planEvent(agenda, parts, event);
}

function planRegion(agenda: Agenda, { sidecar, tasks, memory }: TraceAgendaParts, region: MemoryRegion): void {
  const { process } = region;
  const row = rowInProcess(region.map_row, process, sidecar);
  agenda.add({
    row,
    rank: Rank.map,
    carryOut: () => withMain(tasks, process, (task) => memory.mapRegion(region, task)),
  });
  if (region.unmap_row === null) return;
  const carryOut = () =>
    withMain(tasks, process, (task) => memory.unmapPages(process, region.first_page, region.pages, task));
  agenda.add({ row: region.unmap_row, rank: Rank.unmap, frees: true, carryOut });
}

/** Nothing is mapped before the process has begun. */
function rowInProcess(row: number, process: number, { processes }: Sidecar): number {
  return Math.max(row, processes.find(({ pid }) => pid === process)?.first_row ?? 0);
}

function planEvent(agenda: Agenda, parts: TraceAgendaParts, event: TraceEvent): void {
  const { sidecar, tasks, memory, clocks, marks } = parts;
  const { row } = event;
  switch (event.kind) {
    case 'exit':
      agenda.add({
        ...{ row, rank: Rank.exit, frees: true },
        carryOut() {
          tasks.exitProcess(event.process);
          memory.forgetProcess(event.process);
        },
      });
      break;
    case 'output':
      agenda.add({
        ...{ row, rank: Rank.output },
        carryOut() {
          const thread = tasks.indexOf[event.tid];
          marks.push({ row, text: event.text, atNs: clocks.get(thread), movingNs: clocks.moving(thread) });
        },
      });
      break;
    case 'unmap':
    case 'discard': {
      const process = sidecar.threads.find(({ tid }) => tid === event.tid)?.process ?? 0;
      const carryOut = () =>
        withMain(tasks, process, (task) => {
          if (event.kind === 'unmap') memory.unmapPages(process, event.first_page, event.pages, task);
          else memory.discardPages(event.first_page, event.pages, task);
        });
      agenda.add({ row, rank: event.kind === 'unmap' ? Rank.unmap : Rank.discard, frees: true, carryOut });
      break;
    }
    case 'move':
      agenda.add({
        row,
        rank: Rank.unmap,
        carryOut: () => {
          memory.addresses.movePages(event.first_page, event.pages);
        },
      });
      break;
  }
}

/** On behalf of a process: its first thread acts. After its exit nothing is left to do. */
function withMain(tasks: TraceTasks, process: number, act: (task: Task) => void): void {
  const task = tasks.main(process);
  if (task !== undefined) act(task);
}

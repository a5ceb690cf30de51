import { ACCOUNT_FAULT, ACCOUNT_MIGRATION, PRICE } from '../../../cost/index.js';
import { errnoName } from '../../../errors.js';
import type { Task } from '../../../mm/index.js';
import { C, type MovedPages, type SwapUse } from '../../../stats/index.js';
import type { TraceProcess } from '../../../trace/index.js';
import type { CpuId, NodeId, SwapSlot } from '../../../units.js';
import type { Machine } from '../../machine.js';

import { numaMapsText } from '../../syscalls/numa-maps.js';
import { pagesPerNode } from '../tally.js';
import { mappedEntries, unmappedSince, whyStaying, type Wish } from './left-pages.js';
import { HAS_ENDED, type ActionParts, type Done } from './action-parts.js';

export interface Move extends Wish {
  /** The call. @returns 0, how many pages did not move, or -errno */
  readonly call: (caller: Task, target: Task) => number;
}

/**
 * Moves pages of a process by a call, and says what came of it.
 *
 * Who calls pays: the first thread of the process on its clock, another process on a CPU of its own. While pages are moved
 * directly they are out of reach, so the threads of the process wait for the end of it (an upper bound, README); pages that
 * only leave are not waited for, they are read again.
 */
export function movePages(process: TraceProcess, parts: ActionParts, move: Move): Done {
  const { machine, tasks, clocks, calls } = parts;
  const target = tasks.main(process.pid);
  if (target === undefined) return HAS_ENDED;
  const index = tasks.mainIndex(process.pid);
  const { meter } = machine;
  const payFor = (caller: Task): number => {
    meter.pay(ACCOUNT_MIGRATION, PRICE.moveCall);
    meter.payTimes(
      ACCOUNT_MIGRATION,
      PRICE.scanPage,
      pagesOn(calls().numaMaps(target), () => true),
    );
    return move.call(caller, target);
  };
  if (move.by === 'itself') {
    const from = clocks.takeCpu(index, target.cpu);
    return measured({ process, target, from, payer: index }, parts, move, () => payFor(target)).done;
  }
  const mover = machine.process.newProcess(idleCpu(machine));
  const from = clocks.frontier();
  const { done, before, after } = measured({ process, target, from, payer: null }, parts, move, () => payFor(mover));
  machine.process.exit(mover);
  return { ...done, numaMaps: { before: before.map(numaMapsText), after: after.map(numaMapsText) } };
}

/** Automatic migration of a thread that is about to run again: it pays. */
export function follow(process: TraceProcess, task: Task, index: number, parts: ActionParts): Done {
  const { machine, clocks } = parts;
  const who = { process, target: task, from: clocks.get(index), payer: index };
  const wish: Wish = { by: 'itself', leaves: () => false, to: [] }; // areas with a policy keep theirs: what is left is no failure
  const { done } = measured(who, parts, wish, () => (machine.autoMigrate.returnToUser(task), 0));
  return { ...done, note: `to node ${String(task.node)}: ${done.note}` };
}

interface Who {
  readonly process: TraceProcess;
  readonly target: Task;
  /** Time at which the call begins. */
  readonly from: number;
  /** Dense index of the thread whose clock it costs; null: nobody's of the process. */
  readonly payer: number | null;
}

/** Makes the call, and compares what was before with what is then. */
function measured(who: Who, parts: ActionParts, wish: Wish, call: () => number) {
  const { process, target, from, payer } = who;
  const { machine, tasks, clocks, calls } = parts;
  const { meter } = machine;
  const before = calls().numaMaps(target);
  const slots = slotsOf(machine, target);
  const mapped = mappedEntries(machine, target);
  const swapBefore = swapCounts(machine);
  const countsBefore = moveCounts(machine);
  const usedBefore = usedPages(machine);
  const waited = meter.spent(ACCOUNT_FAULT);
  meter.nowNs = from;
  const returned = call();
  meter.rebook(ACCOUNT_FAULT, waited, ACCOUNT_MIGRATION);
  const ownNs = meter.nowNs - from;
  const after = calls().numaMaps(target);
  const [moved, failed] = moveCounts(machine).map((count, i) => count - countsBefore[i]);
  const gone = Math.max(0, usedBefore - usedPages(machine));
  const unmapped = unmappedSince(machine, mapped);
  const staying = pagesOn(after, wish.leaves);
  const pages = { moved, unmapped, gone, failed, left: Math.max(0, staying - failed) };
  const why = whyStaying(machine, target, wish, returned);
  for (const slot of slotsOf(machine, target)) if (!slots.has(slot)) machine.swap.markMoved(slot);
  if (payer !== null) clocks.moved(payer, target.cpu, meter.nowNs);
  if (moved > 0) {
    tasks.eachTask(process.pid, (_, index) => {
      if (index !== payer) clocks.heldUp(index, from, ownNs);
    });
  }
  const swap = swapSince(machine, swapBefore);
  const pagesTouched = moved + unmapped + gone;
  const done: Done = {
    ...{ ownNs, swap, moved: pages, pagesTouched, note: noteOf(pages, staying, why, swap, returned) },
    ...(returned < 0 && { errno: errnoName(-returned) }),
  };
  return { done, before, after };
}

/** Slots in use, pages written to swap, pages read: to be compared with later. */
export const swapCounts = ({ swap, counters }: Machine): SwapUse => ({
  slots: swap.slots - swap.free,
  written: counters.values[C.pswpout],
  read: counters.values[C.pswpin],
});

export function swapSince(machine: Machine, before: SwapUse): SwapUse {
  const now = swapCounts(machine);
  return { slots: now.slots - before.slots, written: now.written - before.written, read: now.read - before.read };
}

/** `66 pages moved, 3 left (2 no room, 1 mapped more than once)`; a page that failed is one that is left. */
function noteOf(
  { moved, unmapped, failed, gone }: MovedPages,
  staying: number,
  why: string,
  swap: SwapUse,
  returned: number,
): string {
  const parts = [
    ...(returned < 0 ? [`the call returned ${errnoName(-returned)}`] : []),
    ...(gone + unmapped > 0 && moved === 0 ? [] : [`${String(moved)} pages moved`]),
    ...(unmapped > 0 ? [`${String(unmapped)} pages unmapped`] : []),
    ...(gone > 0 ? [`${String(gone)} pages out of memory`] : []),
    ...(swap.slots > 0 ? [`${String(swap.slots)} swap slots taken`] : []),
    ...(swap.written > 0 ? [`${String(swap.written)} written to swap`] : []),
    ...(failed > staying ? [`${String(failed - staying)} failed`] : []),
    ...(staying > 0 ? [`${String(staying)} left${why === '' ? '' : ` (${why})`}`] : []),
  ];
  return parts.join(', ');
}

const moveCounts = ({ counters: { values } }: Machine): number[] => [
  values[C.pgmigrate_success],
  values[C.pgmigrate_fail],
];

const usedPages = (machine: Machine): number => pagesPerNode(machine).reduce((sum, pages) => sum + pages, 0);

function pagesOn(lines: readonly { readonly nodes: readonly number[] }[], counts: (node: NodeId) => boolean): number {
  let sum = 0;
  for (const { nodes } of lines) nodes.forEach((pages, node) => (sum += counts(node as NodeId) ? pages : 0));
  return sum;
}

/** Slots that entries of the process name. */
function slotsOf({ tables, memory }: Machine, { space }: Task): Set<SwapSlot> {
  const slots = new Set<SwapSlot>();
  for (const vma of space.vmas) {
    memory.forEachEntry(vma, (_, page) => {
      if (tables.isSwap(page)) slots.add(tables.word[page] as SwapSlot);
    });
  }
  return slots;
}

/** Where another process runs: the last CPU that no thread is on, or the last. */
export function idleCpu({ topology, process }: Machine): CpuId {
  const busy = new Set(process.tasks().map((task) => task.cpu));
  const cpus = topology.allNodes().flatMap((node) => topology.cpusOf(node));
  return cpus.findLast((cpu) => !busy.has(cpu)) ?? cpus[cpus.length - 1];
}

import { float64s } from '../../arrays.js';
import { ACCOUNT_FAULT, ACCOUNT_MIGRATION, ACCOUNT_REFAULT } from '../../cost/index.js';
import { C, COUNTER_NAMES, type CounterName, type PhaseResult } from '../../stats/index.js';
import { HUGE_PAGES } from '../../mm/index.js';
import { NO_PFN } from '../../units.js';
import type { Clocks } from './clocks.js';
import type { Machine } from '../machine.js';

/** Accesses and misses by [CPU's node][memory's node], and the time they took: what the access loop adds to. */
export class Tally {
  readonly accesses: Float64Array;
  readonly misses: Float64Array;
  /** [0]: ns of accesses; [1]: misses on the zero page. */
  readonly sums = float64s(2);

  constructor(readonly nodeCount: number) {
    this.accesses = float64s(nodeCount * nodeCount);
    this.misses = float64s(nodeCount * nodeCount);
  }
}

/** The state of everything that a phase reports, at one row. */
export interface Snapshot {
  readonly row: number;
  readonly frontierNs: number;
  /** Of the furthest clock: what went into moving pages. */
  readonly movingNs: number;
  /** Clock at which pages were moved, or faulted in again after a move, last. */
  readonly movedAtNs: number;
  readonly swapSlots: number;
  readonly accessNs: number;
  readonly faultNs: number;
  readonly refaultNs: number;
  readonly migrationNs: number;
  readonly missesZeroPage: number;
  readonly accesses: Float64Array;
  readonly misses: Float64Array;
  readonly counters: Float64Array;
  readonly pagesPerNode: readonly number[];
}

/** @param movedAtNs as in the snapshot */
export function takeSnapshot(machine: Machine, tally: Tally, clocks: Clocks, row: number, movedAtNs: number): Snapshot {
  return {
    row,
    frontierNs: clocks.frontier(),
    movingNs: clocks.movingOfFurthest(),
    movedAtNs,
    swapSlots: machine.swap.slots - machine.swap.free,
    accessNs: tally.sums[0],
    faultNs: machine.meter.spent(ACCOUNT_FAULT) + machine.meter.spent(ACCOUNT_REFAULT),
    refaultNs: machine.meter.spent(ACCOUNT_REFAULT),
    migrationNs: machine.meter.spent(ACCOUNT_MIGRATION),
    missesZeroPage: tally.sums[1],
    accesses: tally.accesses.slice(),
    misses: tally.misses.slice(),
    counters: machine.counters.values.slice(),
    pagesPerNode: pagesPerNode(machine),
  };
}

/**
 * Pages mapped or cached on each node. The zero pages are nobody's, and neither is a page that only a CPU's vector still
 * holds: it is free as soon as that is drained.
 */
export function pagesPerNode({ topology, zones, frames, lru, zeroPage, huge }: Machine): number[] {
  const pages = topology.allNodes().map((node) => zones.managed[node] - zones.free(node));
  if (!zones.isGone(zeroPage)) pages[frames.nodeOf(zeroPage)]--;
  if (huge !== null && huge.zeroHead !== NO_PFN) pages[frames.nodeOf(huge.zeroHead)] -= HUGE_PAGES;
  for (const [pfn, holds] of lru.vectorHolds()) if (frames.count(pfn) === holds) pages[frames.nodeOf(pfn)]--;
  return pages;
}

/** What happened between two snapshots. */
export function phaseBetween(name: string, before: Snapshot, after: Snapshot, nodeCount: number): PhaseResult {
  const accesses = split(before.accesses, after.accesses, nodeCount);
  const misses = split(before.misses, after.misses, nodeCount);
  const delta = (counter: CounterName) => after.counters[C[counter]] - before.counters[C[counter]];
  return {
    name,
    rows: { from: before.row, until: after.row },
    timeNs: after.frontierNs - before.frontierNs,
    accessNs: after.accessNs - before.accessNs,
    faultNs: after.faultNs - before.faultNs,
    refaultNs: after.refaultNs - before.refaultNs,
    migrationNs: after.migrationNs - before.migrationNs,
    lostNs: Math.max(0, after.movingNs - before.movingNs),
    settledNs: after.movedAtNs > before.movedAtNs ? Math.max(0, after.movedAtNs - before.frontierNs) : 0,
    accessesLocal: accesses.local,
    accessesRemote: accesses.remote,
    missesLocal: misses.local,
    missesRemote: misses.remote,
    missesZeroPage: after.missesZeroPage - before.missesZeroPage,
    faults: named('fault_', delta),
    migration: {
      tried: delta('mof_migrate_tried'),
      done: delta('mof_migrate_done'),
      failed: { ...named('mof_stay_', delta), ...named('mof_fail_', delta) },
    },
    swap: { slots: after.swapSlots, written: delta('pswpout'), read: delta('pswpin') },
    pagesPerNode: after.pagesPerNode,
  };
}

/** Counters with a prefix that moved, without the prefix. */
function named(prefix: string, delta: (counter: CounterName) => number): Record<string, number> {
  const moved = COUNTER_NAMES.filter((name) => name.startsWith(prefix) && delta(name) !== 0);
  return Object.fromEntries(moved.map((name) => [name.slice(prefix.length), delta(name)]));
}

function split(before: Float64Array, after: Float64Array, nodeCount: number): { local: number; remote: number } {
  let [local, remote] = [0, 0];
  for (let cpu = 0; cpu < nodeCount; cpu++) {
    for (let memory = 0; memory < nodeCount; memory++) {
      const cell = cpu * nodeCount + memory;
      if (cpu === memory) local += after[cell] - before[cell];
      else remote += after[cell] - before[cell];
    }
  }
  return { local, remote };
}

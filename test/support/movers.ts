import { makeCalls, type Calls, type Machine } from '../../src/engine/index.js';
import { PassesState } from '../../src/migrate/passes-state.js';
import type { Passes } from '../../src/migrate/passes.js';
import type { Task } from '../../src/mm/index.js';
import type { NodeId, Pfn } from '../../src/units.js';
import bind from '../../policies/bind.js';
import defaultPolicy from '../../policies/default.js';
import interleave from '../../policies/interleave.js';
import preferred from '../../policies/preferred.js';
import { tinyMachine, type TinyOptions } from './tiny-machine.js';

/** Mode numbers of the policies that the movers' tests bind with. */
const MODES = new Map(
  [defaultPolicy, preferred, bind, interleave].map((definition, mode) => [mode, definition] as const),
);
export const MODE = { default: 0, preferred: 1, bind: 2, interleave: 3 } as const;

export const STRICT = 1;
export const MOVE = 2;
export const MOVE_ALL = 4;

/** A machine of one of the profiles of 2005 and 2006, without hooks, on a RAM disk unless asked otherwise. */
export function oldMachine(profile: string, options: TinyOptions = {}): Machine {
  const off = { hookSwap: false, hookFile: false, hookShmem: false };
  return tinyMachine({
    ...{ profile, nodes: 2, framesPerNode: 64, writesAtOnce: true },
    switches: { ...off, pageCluster: 0, readahead: false, faultAround: false },
    ...options,
  });
}

export const callsOf = (machine: Machine): Calls =>
  makeCalls(machine, { modes: MODES, cgroup: 1, possibleNodes: machine.topology.nodeCount });

/** mbind by page numbers. */
export function mbind(
  calls: Calls,
  task: Task,
  [start, pages]: readonly [number, number],
  mode: keyof typeof MODE,
  nodes: readonly number[],
  flags: number,
): number {
  return calls.policy.mbind(task, BigInt(start) * 4096n, BigInt(pages) * 4096n, MODE[mode], nodes, 65, flags);
}

/** Isolates pages for a mover. */
export function isolated(machine: Machine, pages: readonly Pfn[]): Pfn[] {
  machine.lru.drainAll();
  for (const pfn of pages) if (!machine.lru.isolate(pfn)) throw new Error(`page ${String(pfn)} is on no list`);
  return [...pages];
}

/** New frames on a node, each with one reference. */
export const newFrames = ({ zones }: Machine, node: number, count: number): Pfn[] =>
  Array.from({ length: count }, () => zones.take(node as NodeId));

/** The steps of the machine's mover. */
export function passesOf(machine: Machine): Passes {
  const { passes } = machine.mover;
  if (passes === null) throw new Error('this mover has no passes');
  return passes;
}

/** A migrate_pages() call that has not begun. */
export const callOver = (from: readonly Pfn[], to: Pfn[] | null, task: Task): PassesState =>
  new PassesState(from, to, task.cpu);

/** What the caller of migrate_pages() does at the end: every list goes back, unused new frames are freed. */
export function finish({ lru }: Machine, s: PassesState): void {
  for (const pfn of [...s.moved, ...s.failed, ...s.from]) lru.putback(s.cpu, pfn);
  for (const pfn of s.to ?? []) lru.put(pfn);
  lru.drainAll();
}

import { makeCalls, type Calls, type Machine } from '../../src/engine/index.js';
import { PG_FREE, type MemoryBlock } from '../../src/mm/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import { POLICIES, tinyMachine, type TinyOptions } from './tiny-machine.js';

export interface HotplugOptions extends TinyOptions {
  readonly cgroup?: 1 | 2;
}

/** A tiny machine with its system calls: nodes of 64 frames in blocks of 32. */
export function hotplugMachine({ cgroup = 2, ...options }: HotplugOptions = {}): { machine: Machine; calls: Calls } {
  const machine = tinyMachine({ memoryBlockPages: 32, ...options });
  const modes = new Map([
    [1, POLICIES.preferred],
    [2, POLICIES.bind],
    [3, POLICIES.interleave],
  ]);
  return { machine, calls: makeCalls(machine, { modes, cgroup, possibleNodes: 4 }) };
}

/** Frames of a block that are in use. */
export function usedIn({ zones }: Machine, { from, until }: MemoryBlock): number {
  let used = 0;
  zones.forEachUsed((pfn) => (used += pfn >= from && pfn < until ? 1 : 0));
  return used;
}

/** The fallback row of a node, as the allocator has it. */
export function rowOf({ zones }: Machine, start: number): number[] {
  const row: number[] = [];
  for (let i = 0; zones.rowAt(asNodeId(start), i) >= 0; i++) row.push(zones.rowAt(asNodeId(start), i));
  return row;
}

export const isFree = ({ frames }: Machine, pfn: Pfn): boolean => frames.has(pfn, PG_FREE);

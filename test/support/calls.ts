import { makeCalls, type Calls, type Machine } from '../../src/engine/index.js';
import type { Task } from '../../src/mm/index.js';
import type { PolicyDefinition } from '../../src/policy/index.js';
import bind from '../../policies/bind.js';
import defaultPolicy from '../../policies/default.js';
import interleave from '../../policies/interleave.js';
import local from '../../policies/local.js';
import preferredMany from '../../policies/preferred-many.js';
import preferred from '../../policies/preferred.js';
import weightedInterleave from '../../policies/weighted-interleave.js';
import { processOn, tinyMachine, type TinyOptions } from './tiny-machine.js';

const DEFINITIONS = [defaultPolicy, preferred, bind, interleave, local, preferredMany, weightedInterleave];
/** The kernel's modes by number. */
const MODES: ReadonlyMap<number, PolicyDefinition> = new Map(
  DEFINITIONS.map((definition) => [definition.mode?.number ?? -1, definition]),
);
export const [DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, WEIGHTED] = [0, 1, 2, 3, 4, 5, 6];
export const [STRICT, MOVE, MOVE_ALL, LAZY] = [1, 2, 4, 8];
export const [F_NODE, F_ADDR, F_MEMS_ALLOWED] = [1, 2, 4];
export const [F_STATIC, F_RELATIVE, F_BALANCING] = [1 << 15, 1 << 14, 1 << 13];
/** `maxnode` of a mask with all the bits that a test uses. */
export const MAXNODE = 65;

export interface CallsBed {
  readonly machine: Machine;
  readonly calls: Calls;
  /** A process on node 0. */
  readonly task: Task;
}

/** A tiny machine with its system calls. */
export function callsBed(options: TinyOptions & { readonly cgroup?: 1 | 2 } = {}): CallsBed {
  const { cgroup = 1, ...rest } = options;
  const machine = tinyMachine(rest);
  const calls = makeCalls(machine, { modes: MODES, cgroup, possibleNodes: machine.topology.nodeCount });
  return { machine, calls, task: processOn(machine, 0) };
}

export const bytes = (pages: number): bigint => BigInt(pages) * 4096n;

/** mbind of whole pages. */
export function mbind(
  { calls, task }: Pick<CallsBed, 'calls' | 'task'>,
  start: number,
  pages: number,
  mode: number,
  nodes: readonly number[],
  flags = 0,
): number {
  return calls.policy.mbind(task, bytes(start), bytes(pages), mode, nodes, MAXNODE, flags);
}

import type { Fault } from './contract.js';
import { questionText } from './vet.js';
import { asNodeId } from '../units.js';

/**
 * What a thread is asking a policy right now, in memory that the thread watching it shares: a policy that does not return says
 * nothing any more, and this says where it is. One float per field.
 */
export type Asked = Float64Array;

/** Being loaded, taking its memory, answering, being told; or nothing of the sort. */
const DOING = ['', 'loading', 'create', 'place', 'misplaced', 'migrated'] as const;
export type Doing = Exclude<(typeof DOING)[number], ''>;
const enum At {
  count,
  doing,
  which,
  index,
  hasAddress,
  rotor,
  cpuNode,
  pageNode,
  isWrite,
  thread,
  page,
  fields,
}

export function newAsked(): Asked {
  return new Float64Array(new SharedArrayBuffer(At.fields * 8));
}

/** @param which number of the policy among those of the run */
export function enter(asked: Asked, which: number, doing: Doing, fault: Fault | null): void {
  asked[At.count]++;
  asked[At.which] = which;
  if (fault !== null) {
    asked[At.index] = fault.index;
    asked[At.hasAddress] = fault.hasAddress ? 1 : 0;
    asked[At.rotor] = fault.rotor;
    asked[At.cpuNode] = fault.cpuNode;
    asked[At.pageNode] = fault.pageNode;
    asked[At.isWrite] = fault.isWrite ? 1 : 0;
    asked[At.thread] = fault.thread;
    asked[At.page] = fault.page;
  }
  asked[At.doing] = DOING.indexOf(doing);
}

export function leave(asked: Asked): void {
  asked[At.doing] = 0;
}

/** Number of the question that is under way, or 0: one that stays the same for long does not return. */
export function underWay(asked: Asked): number {
  return asked[At.doing] === 0 ? 0 : asked[At.count];
}

/** Which policy it is, and what it does: `place of page 7 (…)`. */
export function readAsked(asked: Asked): { readonly which: number; readonly text: string; readonly fault: Fault } {
  const fault: Fault = {
    index: asked[At.index],
    hasAddress: asked[At.hasAddress] !== 0,
    rotor: asNodeId(asked[At.rotor]),
    cpuNode: asNodeId(asked[At.cpuNode]),
    pageNode: asked[At.pageNode] as Fault['pageNode'],
    isWrite: asked[At.isWrite] !== 0,
    thread: asked[At.thread],
    page: asked[At.page],
  };
  const doing = DOING[asked[At.doing]];
  const text = doing === 'place' || doing === 'misplaced' ? questionText(doing, fault) : doing;
  return { which: asked[At.which], text, fault };
}

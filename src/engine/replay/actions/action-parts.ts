import type { MempolicyRequest } from '../../../mm/index.js';
import type { ActionResult } from '../../../stats/index.js';
import type { Sidecar } from '../../../trace/index.js';
import type { Calls } from '../../calls.js';
import type { Clocks } from '../clocks.js';
import type { Machine } from '../../machine.js';
import type { TraceMemory } from '../trace-memory.js';
import type { TraceTasks } from '../trace-tasks.js';

/** What an action acts on. */
export interface ActionParts {
  readonly machine: Machine;
  readonly sidecar: Sidecar;
  readonly tasks: TraceTasks;
  readonly memory: TraceMemory;
  readonly clocks: Clocks;
  /** The run has another policy than default: a lazy action unmaps what lies outside it. */
  readonly hasPolicy: boolean;
  readonly runPolicy: MempolicyRequest;
  /** System calls: made when the first action asks for them. */
  readonly calls: () => Calls;
}

/** What an action came to. */
export type Done = Omit<ActionResult, 'action' | 'row' | 'process'>;

/** It did nothing, for this reason. */
export const nothing = (note: string): Done => ({ ownNs: 0, pagesTouched: 0, note });
export const HAS_ENDED = nothing('the process has ended');

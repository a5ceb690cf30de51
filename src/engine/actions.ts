import { MmError } from '../errors.js';
import { parseNodes } from '../hardware/index.js';
import type { ActionSpec } from '../run/run-spec.js';
import type { ActionResult } from '../stats/index.js';
import type { Sidecar, TraceProcess } from '../trace/index.js';
import type { Clocks } from './clocks.js';
import type { Machine } from './machine.js';
import { rowOfMoment } from './moments.js';
import type { TraceMemory } from './trace-memory.js';
import { regionsNamed } from './trace-regions.js';
import type { TraceTasks } from './trace-tasks.js';

/** One action for one process, with the row before which it is due; null: its moment never comes. */
export interface PlannedAction {
  readonly spec: ActionSpec;
  readonly process: TraceProcess;
  readonly row: number | null;
}

/** Takes each action's moment per process (DESIGN of runs: README). Checks what it names against trace and machine. */
export function planActions(actions: readonly ActionSpec[], sidecar: Sidecar, machine: Machine): PlannedAction[] {
  return actions.flatMap((spec) => {
    if (spec.kind === 'lazy' && spec.region !== null) regionsNamed(sidecar, spec.region);
    const processes = spec.kind === 'task' ? [processOfThread(spec, sidecar)] : sidecar.processes;
    if (spec.kind === 'task') cpuOnNode(spec, machine);
    const planned = processes.map((process) => ({ spec, process, row: rowOfMoment(spec.moment, process, sidecar) }));
    const coming = planned.filter((action) => action.row !== null);
    return coming.length > 0 ? coming : planned.slice(0, 1); // one line is enough to say that it never came
  });
}

export interface ActionParts {
  readonly machine: Machine;
  readonly tasks: TraceTasks;
  readonly memory: TraceMemory;
  readonly clocks: Clocks;
  /** The run has another policy than default: a lazy action unmaps what lies outside it. */
  readonly hasPolicy: boolean;
}

/** Carries one action out, on the clock of the thread that calls for it. */
export function carryOutAction(action: PlannedAction, parts: ActionParts): ActionResult {
  const { spec, process, row } = action;
  const base = { action: spec.text, row, process: process.pid };
  return spec.kind === 'lazy' ? { ...base, ...lazy(spec, process, parts) } : { ...base, ...moveTask(spec, parts) };
}

/** What is said of an action whose moment never came. */
export function neverCame({ spec, process }: PlannedAction): ActionResult {
  return {
    action: spec.text,
    row: null,
    process: process.pid,
    ownNs: 0,
    pagesTouched: 0,
    note: 'its moment never came',
  };
}

type Done = Pick<ActionResult, 'ownNs' | 'pagesTouched' | 'note'>;

function lazy(spec: ActionSpec & { kind: 'lazy' }, process: TraceProcess, parts: ActionParts): Done {
  const { machine, tasks, memory, clocks, hasPolicy } = parts;
  const caller = tasks.main(process.pid);
  if (caller === undefined) return { ownNs: 0, pagesTouched: 0, note: 'the process has ended' };
  const index = tasks.mainIndex(process.pid);
  const before = clocks.takeCpu(index, caller.cpu);
  machine.meter.nowNs = before;
  const vmas = memory.vmasOf(process.pid, caller, spec.region);
  const done = machine.policy.unmapLazily(caller, vmas, hasPolicy ? caller.policy : null);
  clocks.moved(index, caller.cpu, machine.meter.nowNs);
  const left = done.left > 0 ? `, ${String(done.left)} left (mapped more than once, or busy)` : '';
  const noSlot = done.noSlot > 0 ? `, ${String(done.noSlot)} without a swap slot` : '';
  return {
    ownNs: machine.meter.nowNs - before,
    pagesTouched: done.unmapped,
    note: `${String(done.unmapped)} of ${String(done.looked)} pages unmapped${left}${noSlot}`,
  };
}

function moveTask(spec: ActionSpec & { kind: 'task' }, { machine, tasks }: ActionParts): Done {
  const task = tasks.ofThread(spec.thread);
  if (task === undefined) return { ownNs: 0, pagesTouched: 0, note: `thread ${String(spec.thread)} does not run then` };
  const from = task.node;
  machine.process.moveTask(task, cpuOnNode(spec, machine));
  return {
    ownNs: 0,
    pagesTouched: 0,
    note: `thread ${String(spec.thread)} from node ${String(from)} to node ${String(task.node)}`,
  };
}

function cpuOnNode(spec: ActionSpec & { kind: 'task' }, { topology }: Machine) {
  const world = {
    nodeCount: topology.nodeCount,
    hasMemory: (node: never) => topology.hasMemory(node),
    allowed: topology.allNodes(),
  };
  const [node] = parseNodes(spec.node, world);
  const cpus = topology.cpusOf(node);
  if (cpus.length === 0) throw new MmError('BAD_RUN', `"${spec.text}": node ${String(node)} has no CPUs`);
  return cpus[spec.thread % cpus.length];
}

function processOfThread(spec: ActionSpec & { kind: 'task' }, sidecar: Sidecar): TraceProcess {
  const thread = sidecar.threads.find((candidate) => candidate.tid === spec.thread);
  const process = sidecar.processes.find((candidate) => candidate.pid === thread?.process);
  if (process !== undefined) return process;
  const known = sidecar.threads.map((candidate) => candidate.tid);
  throw new MmError(
    'BAD_RUN',
    `"${spec.text}": the trace has no thread ${String(spec.thread)}; it has ${String(Math.min(...known))}-${String(Math.max(...known))}`,
  );
}

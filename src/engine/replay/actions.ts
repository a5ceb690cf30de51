import { MmError } from '../../errors.js';
import { parseNodes } from '../../hardware/index.js';
import type { Task } from '../../mm/index.js';
import type { ActionSpec } from '../../run/run-spec.js';
import type { ActionResult } from '../../stats/index.js';
import type { Sidecar, TraceProcess } from '../../trace/index.js';
import type { CpuId } from '../../units.js';
import { HAS_ENDED, nothing, type ActionParts, type Done } from './actions/action-parts.js';
import { checkNodes, cpuset, migrate, move, swapout } from './actions/moves.js';
import { offline, offlineNode } from './actions/offline.js';
import { swapCounts, swapSince } from './actions/moving.js';
import type { Machine } from '../machine.js';
import { rowOfMoment } from './moments.js';
import { regionsNamed } from './trace-regions.js';

/** One action for one process, with the row before which it is due; null: its moment never comes. */
export interface PlannedAction {
  readonly spec: ActionSpec;
  readonly process: TraceProcess;
  readonly row: number | null;
}

/** Takes each action's moment per process (DESIGN of runs: README). Checks what it names against trace and machine. */
export function planActions(actions: readonly ActionSpec[], sidecar: Sidecar, machine: Machine): PlannedAction[] {
  return actions.flatMap((spec) => {
    checkNames(spec, sidecar, machine);
    const processes =
      spec.kind === 'task' && spec.thread !== 'all'
        ? [processOfThread(spec.text, spec.thread, sidecar)]
        : sidecar.processes;
    const planned = processes.map((process) => ({ spec, process, row: rowOfMoment(spec.moment, process, sidecar) }));
    const coming = planned.filter((action) => action.row !== null);
    if (spec.kind === 'offline' && coming.length > 0) return [first(coming)]; // the machine loses the node once
    return coming.length > 0 ? coming : planned.slice(0, 1); // one line is enough to say that it never came
  });
}

const first = (actions: readonly PlannedAction[]): PlannedAction =>
  actions.reduce((earliest, action) => ((action.row ?? 0) < (earliest.row ?? 0) ? action : earliest));

/** @throws MmError for regions and nodes that are not there */
function checkNames(spec: ActionSpec, sidecar: Sidecar, machine: Machine): void {
  if ((spec.kind === 'lazy' || spec.kind === 'move') && spec.region !== null) regionsNamed(sidecar, spec.region);
  else if (spec.kind === 'migrate') for (const nodes of [spec.from, spec.to]) checkNodes(nodes, spec.text, machine);
  else if (spec.kind === 'cpuset') checkNodes(spec.nodes, spec.text, machine);
  else if (spec.kind === 'offline') offlineNode(spec, machine);
  else if (spec.kind === 'task') cpusOnNode(spec, machine);
}

/** Carries one action out, on the clock of the thread that calls for it. */
export function carryOutAction(action: PlannedAction, parts: ActionParts): ActionResult {
  const { spec, process, row } = action;
  return { action: spec.text, row, process: process.pid, ...act(spec, process, parts) };
}

function act(spec: ActionSpec, process: TraceProcess, parts: ActionParts): Done {
  switch (spec.kind) {
    case 'lazy':
      return lazy(spec, process, parts);
    case 'move':
      return move(spec, process, parts);
    case 'migrate':
      return migrate(spec, process, parts);
    case 'swapout':
      return swapout(process, parts);
    case 'cpuset':
      return cpuset(spec, process, parts);
    case 'offline':
      return offline(spec, parts);
    case 'task':
      return moveTask(spec, process, parts);
  }
}

type TaskSpec = ActionSpec & { kind: 'task' };

/** What is said of an action whose moment never came. */
export function neverCame({ spec, process }: PlannedAction): ActionResult {
  return {
    action: spec.text,
    row: null,
    process: process.pid,
    ...nothing('its moment never came'),
  };
}

function lazy(spec: ActionSpec & { kind: 'lazy' }, process: TraceProcess, parts: ActionParts): Done {
  const { machine, tasks, memory, clocks, hasPolicy } = parts;
  const caller = tasks.main(process.pid);
  if (caller === undefined) return HAS_ENDED;
  const swapBefore = swapCounts(machine);
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
    swap: swapSince(machine, swapBefore),
    note: `${String(done.unmapped)} of ${String(done.looked)} pages unmapped${left}${noSlot}`,
  };
}

/** One thread, or all of a process: thread i to the i-th CPU of the node, in turn. */
function moveTask(spec: TaskSpec, process: TraceProcess, parts: ActionParts): Done {
  const { machine, tasks } = parts;
  const cpus = cpusOnNode(spec, machine);
  if (spec.thread !== 'all') {
    const task = tasks.ofThread(spec.thread);
    if (task === undefined) return nothing(`thread ${String(spec.thread)} does not run then`);
    return nothing(relocate(task, spec.thread, cpus, parts));
  }
  const notes: string[] = [];
  for (const { tid, process: pid } of parts.sidecar.threads) {
    const task = pid === process.pid ? tasks.ofThread(tid) : undefined;
    if (task !== undefined) notes.push(relocate(task, tid, cpus, parts));
  }
  return notes.length === 0 ? HAS_ENDED : nothing(notes.join('; '));
}

/** @returns what to say of it */
function relocate(task: Task, tid: number, cpus: readonly CpuId[], { machine, tasks, clocks }: ActionParts): string {
  const from = task.node;
  const cpu = cpus[tid % cpus.length];
  const isElsewhere = machine.topology.nodeOfCpu[cpu] !== from;
  if (isElsewhere && !machine.autoMigrate.mayLeaveNode(task, clocks.get(tasks.indexOf[tid]))) {
    return `thread ${String(tid)} stays on node ${String(from)}: its pages are still to follow, or the interval of automigrate is not over`;
  }
  machine.process.moveTask(task, cpu);
  return `thread ${String(tid)} from node ${String(from)} to node ${String(task.node)}`;
}

function cpusOnNode(spec: TaskSpec, { topology }: Machine): readonly CpuId[] {
  const world = {
    nodeCount: topology.nodeCount,
    hasMemory: (node: never) => topology.hasMemory(node),
    allowed: topology.allNodes(),
  };
  const [node] = parseNodes(spec.node, world);
  const cpus = topology.cpusOf(node);
  if (cpus.length === 0) throw new MmError('BAD_RUN', `"${spec.text}": node ${String(node)} has no CPUs`);
  return cpus;
}

function processOfThread(text: string, tid: number, sidecar: Sidecar): TraceProcess {
  const thread = sidecar.threads.find((candidate) => candidate.tid === tid);
  const process = sidecar.processes.find((candidate) => candidate.pid === thread?.process);
  if (process !== undefined) return process;
  const known = sidecar.threads.map((candidate) => candidate.tid);
  throw new MmError(
    'BAD_RUN',
    `"${text}": the trace has no thread ${String(tid)}; it has ${String(Math.min(...known))}-${String(Math.max(...known))}`,
  );
}

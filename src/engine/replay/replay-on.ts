import { ACCOUNT_MIGRATION, ACCOUNT_REFAULT } from '../../cost/index.js';
import { OOM, SIGBUS } from '../../fault/index.js';
import { MmError } from '../../errors.js';
import type { Mempolicy, MempolicyRequest, Task } from '../../mm/index.js';
import type { ReplayOptions } from '../../run/run-request.js';
import type { ActionResult, PhaseResult, RunOutcome, RunResult } from '../../stats/index.js';
import type { TraceBatch, TraceSource } from '../../trace/index.js';
import type { CpuId, NodeId, PageId } from '../../units.js';
import { makeAccessLoop } from './access-loop.js';
import { carryOutAction, neverCame, type PlannedAction } from './actions.js';
import { follow } from './actions/moving.js';
import { Agenda, Rank } from './agenda.js';
import { makeCalls, type Calls } from '../calls.js';
import { Clocks } from './clocks.js';
import type { Machine } from '../machine.js';
import { Rounds } from './rounds.js';
import { inClockOrder, inRowOrder, type BeginQuantum, type RunRows } from './row-order.js';
import { phaseBetween, takeSnapshot, Tally, type Snapshot } from './tally.js';
import { fillAgenda } from './trace-agenda.js';
import { TraceMemory } from './trace-memory.js';
import { TraceTasks } from './trace-tasks.js';
import { watchLoop, type PageWatch } from './watched-loop.js';

export interface ReplayParts {
  readonly machine: Machine;
  readonly source: TraceSource;
  readonly cpus: ReadonlyMap<number, CpuId>;
  readonly region: { readonly from: number; readonly until: number };
  readonly actions: readonly PlannedAction[];
  readonly runPolicy: MempolicyRequest;
  readonly vmaPolicies: readonly { readonly word: string; readonly request: MempolicyRequest }[];
  readonly order: ReplayOptions['order'];
  readonly repeat: ReplayOptions['repeat'];
  readonly progress: (rows: number) => void;
  readonly watch?: PageWatch | undefined;
}

export interface Replayed {
  readonly traceName: string;
  readonly outcome: RunOutcome;
  readonly whole: PhaseResult;
  readonly region: PhaseResult;
  readonly phases: readonly PhaseResult[];
  readonly actions: readonly ActionResult[];
  readonly marks: RunResult['marks'];
}

/** Replays a trace on a machine: rows through the access loop, everything between rows from the agenda. */
export async function replayOn(parts: ReplayParts): Promise<Replayed> {
  const { machine, source, region, actions, runPolicy, progress } = parts;
  const { sidecar } = source;
  const nodes = machine.topology.nodeCount;
  const clocks = new Clocks(sidecar.threads.length, machine.topology.cpuCount);
  const tally = new Tally(nodes);
  const isDefault = runPolicy.definition.name === machine.defaultPolicy.definition.name;
  const policyFor = (task: Task): Mempolicy | null => (isDefault ? null : machine.policy.newPolicy(task, runPolicy));
  const tasks = new TraceTasks(machine, sidecar, clocks, parts.cpus, policyFor);
  const memory = new TraceMemory(
    machine,
    sidecar,
    parts.vmaPolicies.map(({ word, request }) => ({
      region: word,
      policyFor: (task) => machine.policy.newPolicy(task, request),
    })),
  );
  const plain = makeAccessLoop({ machine, memory, tally });
  const loop = parts.watch === undefined ? plain : watchLoop(plain, machine, memory, parts.watch);

  const agenda = new Agenda();
  const marks: RunResult['marks'][number][] = [];
  const snapshots: { name: string; at: Snapshot }[] = [];
  const done: ActionResult[] = [];
  let calls: Calls | null = null;
  const actionParts = {
    ...{ machine, sidecar, tasks, memory, clocks, runPolicy, hasPolicy: !isDefault },
    // Actions hand over policies that are made already, so no mode has to be found by its number.
    calls: () => (calls ??= makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: nodes })),
  };
  let currentRow = 0;
  let movedAtNs = 0;
  const snapshot = () => takeSnapshot(machine, tally, clocks, currentRow, movedAtNs);
  fillAgenda(agenda, { sidecar, tasks, memory, clocks, marks });
  planPhases();
  const started = snapshot();
  let regionStart: Snapshot | null = null;
  let regionEnd: Snapshot | null = null;
  /** Before what the trace frees at its end, which says little about where pages were. */
  let pagesAtEnd = null as readonly number[] | null;
  const isRepeated = !('times' in parts.repeat && parts.repeat.times === 1);
  agenda.add({
    ...{ row: region.from, rank: Rank.mark },
    carryOut() {
      memory.addresses.keepsReplaced = isRepeated;
      regionStart = snapshot();
    },
  });
  if (isRepeated) agenda.postponeFrees(region.from, region.until);

  let thread = -1;
  let task: Task | null = null;
  const movingNs = () => machine.meter.spent(ACCOUNT_MIGRATION) + machine.meter.spent(ACCOUNT_REFAULT);

  /** Rows of one quantum, or a piece of it: the agenda and the end of a batch cut quanta. */
  const run: RunRows = (batch, from, until, waitedFor) => {
    thread = tasks.indexOf[batch.tid[from]];
    task = tasks.at(thread);
    const { process } = sidecar.threads[thread];
    let begun = clocks.begin(thread, task.cpu, waitedFor);
    if (task.migratePending) begun = followTask(task, thread, batch.firstRow + from);
    const movingBefore = movingNs();
    machine.meter.nowNs = begun;
    loop.run(from, until, task, process, memory.idsOf(process));
    if (machine.balancing !== null) machine.balancing.ran(task, machine.meter.nowNs - begun);
    const now = machine.meter.nowNs;
    const moving = movingNs() - movingBefore;
    clocks.end(thread, task.cpu, now, moving);
    if (moving > 0 && now > movedAtNs) movedAtNs = now;
    const behind = clocks.behind();
    if (behind >= 0) machine.cost.advance(behind);
    return loop.failedRow() < 0;
  };

  /** The thread runs again on another node, and its pages follow. @returns its clock */
  function followTask(moved: Task, index: number, row: number): number {
    const { tid, process: pid } = sidecar.threads[index];
    const process = sidecar.processes.find((candidate) => candidate.pid === pid);
    if (process !== undefined) {
      const action = `automigrate of thread ${String(tid)}`;
      const from = clocks.get(index);
      const result = follow(process, moved, index, actionParts);
      movedAtNs = Math.max(movedAtNs, from + result.ownNs);
      done.push({ action, row, process: pid, ...result });
    }
    return clocks.get(index);
  }

  const rounds = new Rounds(sidecar.threads.length);
  const begin: BeginQuantum = (tid, quantum) => rounds.next(tasks.indexOf[tid], quantum);
  const cpus = { ofTid: (tid: number) => tasks.at(tasks.indexOf[tid]).cpu, clock: (cpu: number) => clocks.cpu(cpu) };
  const inOrder = (batch: TraceBatch, from: number, until: number): boolean =>
    parts.order === 'rows'
      ? inRowOrder(batch, from, until, begin, run)
      : inClockOrder(batch, from, until, begin, run, cpus);

  /** The stretches between agenda items, in turn. @returns false if a row failed */
  function runBatch(batch: TraceBatch, end: number): boolean {
    loop.load(batch);
    for (let i = 0; i < end;) {
      currentRow = batch.firstRow + i;
      agenda.carryOutUntil(currentRow);
      const stop = Math.min(end, agenda.nextRow - batch.firstRow);
      if (!inOrder(batch, i, stop)) return false;
      i = stop;
    }
    return true;
  }

  /** Rows [from, until), without what the agenda has for later. */
  async function pass(from: number, until: number): Promise<boolean> {
    for await (const batch of source.batches({ fromRow: from })) {
      const end = Math.min(batch.rows, until - batch.firstRow);
      if (!runBatch(batch, end)) return false;
      progress(batch.firstRow + end);
      if (end < batch.rows) break;
    }
    currentRow = until;
    return true;
  }

  async function replay(): Promise<boolean> {
    if (!(await pass(0, region.until))) return false;
    for (let times = 1; wantsAnother(times); times++) {
      if (!(await pass(region.from, region.until))) return false;
    }
    memory.addresses.keepsReplaced = false;
    regionEnd = snapshot();
    if (region.until < source.rows && !(await pass(region.until, source.rows))) return false;
    pagesAtEnd = snapshot().pagesPerNode;
    agenda.carryOutUntil(source.rows);
    return true;
  }

  function wantsAnother(times: number): boolean {
    if ('times' in parts.repeat) return times < parts.repeat.times;
    return clocks.frontier() - (regionStart?.frontierNs ?? 0) < parts.repeat.seconds * 1e9;
  }

  /** A phase begins where an action is carried out for the first time. */
  function planPhases(): void {
    const begun = new Set<string>();
    for (const action of actions) {
      if (action.row === null) {
        done.push(neverCame(action));
        continue;
      }
      agenda.add({
        row: action.row,
        rank: Rank.action,
        carryOut() {
          if (!begun.has(action.spec.text)) beginPhase(action.spec.text);
          begun.add(action.spec.text);
          const from = clocks.frontier();
          const result = carryOutAction(action, actionParts);
          if (result.pagesTouched > 0) movedAtNs = Math.max(movedAtNs, from + result.ownNs);
          done.push(result);
        },
      });
    }
  }

  /** Actions at one row share a phase. */
  function beginPhase(text: string): void {
    const last = snapshots.at(-1);
    if (last?.at.row === currentRow) last.name += `, ${text}`;
    else snapshots.push({ name: `after ${text}`, at: snapshot() });
  }

  const completed = await replay();
  if (!completed) currentRow = loop.failedRow();
  const outcome: RunOutcome = completed ? { kind: 'done' } : failure(loop.failedRow(), loop.failure(), thread);
  const ended = snapshot();
  const lastPhaseEnd = { ...ended, pagesPerNode: pagesAtEnd ?? ended.pagesPerNode };
  return {
    traceName: source.name,
    outcome,
    whole: phaseBetween('whole', started, lastPhaseEnd, nodes),
    region: phaseBetween('region', regionStart ?? ended, regionEnd ?? ended, nodes),
    phases: phases(started, lastPhaseEnd, snapshots, nodes),
    actions: done,
    marks,
  };

  /** Nodes that were full, when there was no page to be had: all, unless a policy keeps to some. */
  function nodesKeptTo(page: number): readonly NodeId[] {
    const vma = page > 0 ? machine.spaces.vmaOf(page as PageId) : null;
    const policy = (vma?.file === null ? vma.policy : null) ?? task?.policy ?? null;
    return policy === null || policy.mask === null || policy.mayLeaveMask ? machine.rootCpuset.nodes() : policy.nodes;
  }

  function failure(row: number, why: number, at: number): RunOutcome {
    const tid = sidecar.threads[at].tid;
    if (why === OOM) return { kind: 'oom', row, thread: tid, nodes: nodesKeptTo(loop.failedPage()).join(',') };
    if (why === SIGBUS) return { kind: 'sigbus', row, thread: tid };
    throw new MmError(
      'BAD_TRACE',
      `${source.path}: row ${String(row)}: thread ${String(tid)} touches memory that nothing maps there`,
    );
  }
}

function phases(
  started: Snapshot,
  ended: Snapshot,
  snapshots: readonly { name: string; at: Snapshot }[],
  nodes: number,
): PhaseResult[] {
  if (snapshots.length === 0) return [phaseBetween('whole', started, ended, nodes)];
  const first = snapshots[0].at;
  const before = first.row === started.row ? [] : [phaseBetween('before', started, first, nodes)];
  return [
    ...before,
    ...snapshots.map(({ name, at }, i) => phaseBetween(name, at, snapshots[i + 1]?.at ?? ended, nodes)),
  ];
}

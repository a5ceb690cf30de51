import { ModelBug } from '../../errors.js';
import type { Mempolicy, Task } from '../../mm/index.js';
import type { Sidecar, TraceProcess, TraceThread } from '../../trace/index.js';
import type { CpuId } from '../../units.js';
import type { Clocks } from './clocks.js';
import type { Machine } from '../machine.js';

/** The threads of a trace as tasks of a machine: made when they start, gone when their process exits. */
export class TraceTasks {
  /** Dense index of a thread by its number: what clocks and tables go by. */
  readonly indexOf = new Int32Array(65536).fill(-1);
  private readonly tasks: (Task | undefined)[];
  private readonly mainThread = new Map<number, TraceThread>();

  constructor(
    private readonly machine: Machine,
    private readonly sidecar: Sidecar,
    private readonly clocks: Clocks,
    private readonly cpus: ReadonlyMap<number, CpuId>,
    private readonly policyFor: (task: Task) => Mempolicy | null,
  ) {
    sidecar.threads.forEach((thread, i) => {
      this.indexOf[thread.tid] = i;
      const known = this.mainThread.get(thread.process);
      if (known === undefined || thread.parent === null) this.mainThread.set(thread.process, thread);
    });
    this.tasks = Array.from({ length: sidecar.threads.length });
  }

  at(index: number): Task {
    const task = this.tasks[index];
    if (task === undefined) throw new ModelBug(`thread ${String(index)} has not started`);
    return task;
  }

  ofThread(tid: number): Task | undefined {
    return this.tasks[this.indexOf[tid]];
  }

  /** The first thread of a process: it maps, unmaps and acts for all. */
  main(process: number): Task | undefined {
    const thread = this.mainThread.get(process);
    return thread === undefined ? undefined : this.tasks[this.indexOf[thread.tid]];
  }

  mainIndex(process: number): number {
    return this.indexOf[this.mainThread.get(process)?.tid ?? 0];
  }

  /** The threads of a process that run, by dense index. */
  eachTask(process: number, visit: (task: Task, index: number) => void): void {
    for (const thread of this.sidecar.threads) {
      if (thread.process !== process) continue;
      const task = this.ofThread(thread.tid);
      if (task !== undefined) visit(task, this.indexOf[thread.tid]);
    }
  }

  /** A process begins with its first thread, at the clock at which the process that it follows ended. */
  startProcess(process: TraceProcess): void {
    const thread = this.mainThread.get(process.pid);
    if (thread === undefined || this.tasks[this.indexOf[thread.tid]] !== undefined) return;
    const task = this.machine.process.newProcess(this.cpuOf(thread.tid));
    const policy = this.policyFor(task);
    if (policy !== null) {
      this.machine.policy.setMempolicy(task, policy);
      policy.refs--; // the task is its only holder
    }
    const index = this.indexOf[thread.tid];
    this.tasks[index] = task;
    const last = this.lastBefore(process);
    if (last >= 0) this.clocks.startAt(index, last);
  }

  startThread(thread: TraceThread): void {
    const index = this.indexOf[thread.tid];
    if (this.tasks[index] !== undefined) return;
    const creator = (thread.parent === null ? undefined : this.ofThread(thread.parent)) ?? this.main(thread.process);
    if (creator === undefined) return;
    this.tasks[index] = this.machine.process.newThread(creator, this.cpuOf(thread.tid));
    this.clocks.startAt(index, thread.parent === null ? this.mainIndex(thread.process) : this.indexOf[thread.parent]);
  }

  exitProcess(pid: number): void {
    for (const thread of this.sidecar.threads) {
      if (thread.process !== pid) continue;
      const index = this.indexOf[thread.tid];
      const task = this.tasks[index];
      if (task !== undefined) this.machine.process.exit(task);
      this.tasks[index] = undefined;
    }
  }

  private cpuOf(tid: number): CpuId {
    return this.cpus.get(tid) ?? this.cpus.values().next().value ?? (0 as CpuId);
  }

  /**
   * The thread at whose clock a process begins: the last one of the process that ended last before it (in the same job
   * slot, if the trace has slots and other processes still run), -1 if there is none.
   */
  private lastBefore(process: TraceProcess): number {
    const { processes, threads } = this.sidecar;
    const begun = processes.filter((other) => other.first_row < process.first_row);
    const ended = begun.filter((other) => other.last_row < process.first_row);
    const isAlone = ended.length === begun.length;
    const followed = ended.filter((other) => isAlone || process.slot === undefined || other.slot === process.slot);
    if (followed.length === 0) return -1;
    const { pid } = followed.reduce((a, b) => (b.last_row > a.last_row ? b : a));
    const candidates = threads.filter((thread) => thread.process === pid).map((thread) => this.indexOf[thread.tid]);
    return candidates.reduce((a, b) => (this.clocks.get(b) > this.clocks.get(a) ? b : a));
  }
}

import type { FileObject, Task } from '../mm/index.js';
import type { NodeId } from '../units.js';
import type { SegmentTable } from './segments.js';
import type { World } from './world.js';

/** Signals that `kick` can send; a running command stops at them, and QUIT ends a child. */
export const SIGNALS = ['INT', 'QUIT', 'SEGV', 'BUS', 'USR1', 'USR2'] as const;
export type Signal = (typeof SIGNALS)[number];

/** A child, as its parent lists it. */
export interface Child {
  readonly toy: Toy;
  errors: number;
}

/** One process of a session: its task, its segments, its children. */
export class Toy {
  readonly children = new Map<string, Child>();
  /** Shared memory that this process made: it goes with the process. */
  readonly made = new Set<FileObject>();
  /** CPUs the process may run on; null: those of its cpuset. */
  affinity: readonly number[] | null = null;
  /** A signal that came and that no command has seen yet. */
  signal: Signal | null = null;
  isAlive = true;
  /** The kernel ended it for lack of memory. */
  isKilled = false;

  constructor(
    readonly world: World,
    readonly task: Task,
    readonly pid: number,
    /** `memtoy`, or `memtoy(child)`. */
    readonly program: string,
    readonly segments: SegmentTable,
  ) {}

  /** A line of results. */
  say(text: string): void {
    this.world.host.out(`${this.program}:  ${text}\n`);
  }

  /** A line, or more, about a mistake. */
  complain(text: string): void {
    this.world.host.err(`${this.program}:  ${text}\n`);
  }

  print(text: string): void {
    this.world.host.out(`${text}\n`);
  }

  /** Nodes its cpuset allows. */
  allowed(): NodeId[] {
    return this.task.cpuset.nodes();
  }

  /** What `work` costs on the machine's clock, as memtoy prints it. */
  seconds(work: () => void): string {
    const from = this.world.machine.meter.nowNs;
    work();
    return this.since(from);
  }

  since(ns: number): string {
    return ((this.world.machine.meter.nowNs - ns) / 1e9).toFixed(3).padStart(6);
  }

  takeSignal(): Signal | null {
    const came = this.signal;
    this.signal = null;
    return came;
  }

  /** Ends the process, its children first; shared memory it made is removed once nobody has it attached. */
  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const { toy } of this.children.values()) toy.end();
    this.children.clear();
    this.world.machine.process.exit(this.task);
    for (const object of this.made) this.world.doom(object);
    const mapped = this.segments.all(false).map(({ object }) => object);
    for (const object of new Set([...mapped, ...this.made])) if (object !== null) this.world.release(this.task, object);
  }
}

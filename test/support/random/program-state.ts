import { type Calls, type Machine, makeCalls, makeDeviceDriver, type ModelDriver } from '../../../src/engine/index.js';
import { bugOn } from '../../../src/errors.js';
import { OOM, SIGBUS, SIGSEGV } from '../../../src/fault/index.js';
import { VM_SHARED, type Task } from '../../../src/mm/index.js';
import type { PolicyDefinition } from '../../../src/policy/index.js';
import { NO_PAGE, NO_PFN, type CpuId, type NodeId, type Pfn } from '../../../src/units.js';
import { POLICIES } from '../tiny-machine.js';
import { Coverage } from './coverage.js';
import { EventLog } from './event-log.js';
import { makeEvict } from './evict.js';
import { buildMachine, DEVICE, type Setup } from './setup.js';
import { ANONYMOUS, type ObjectShadow, ProcessShadow, Shadow, WINDOW } from './shadow.js';

export const MAX_PROCESSES = 5;
export const MAX_THREADS = 10;
/** Where windows begin: across two leaf tables, low and high up. */
const BASES = [512 * 3 - 20, 0x7_ffff_0000 - 20];
/** Kind, name, pages and migrate operation of the objects that processes map. */
const OBJECTS = [
  ['file', 'data', 20, 'simple'],
  ['file', 'log', 9, 'buffers'],
  ['file', 'odd', 6, 'odd'],
  ['shmem', 'pool', 12, 'simple'],
  ['shmem', 'ring', 5, 'simple'],
] as const;

/** A machine under a random program: what runs on it, what its memory should hold, and what was seen so far. */
export class ProgramState {
  readonly log = new EventLog();
  readonly machine: Machine;
  readonly shadow: Shadow;
  readonly calls: Calls;
  readonly evict: ReturnType<typeof makeEvict>;
  readonly policies: readonly PolicyDefinition[];
  readonly driver: ModelDriver;
  readonly cpus: readonly CpuId[];
  /** References that the program holds on frames. */
  readonly pins = new Map<Pfn, number>();
  private stamp = 1 << 16;

  constructor(
    setup: Setup,
    readonly coverage: Coverage,
  ) {
    this.policies = [POLICIES.bind, POLICIES.interleave, POLICIES.preferred].map((policy) => this.log.watch(policy));
    this.machine = buildMachine(setup, this.log.watch(POLICIES.default), this.log);
    this.log.attach(this.machine);
    const { topology, files } = this.machine;
    const modes = new Map(this.policies.map((policy) => [policy.mode?.number ?? 0, policy]));
    this.calls = makeCalls(this.machine, { modes, cgroup: 1, possibleNodes: topology.nodeCount });
    this.evict = makeEvict(this.machine);
    this.shadow = new Shadow(this.machine);
    this.driver = makeDeviceDriver(this.machine, DEVICE);
    this.cpus = topology.allNodes().flatMap((node) => topology.cpusOf(node));
    const [cpus, mems] = [[...this.cpus], this.nodesWithMemory];
    this.calls.cpusets.create('half', { cpus, mems: mems.filter((_, i) => i % 2 === 0) });
    this.calls.cpusets.create('moving', { cpus, mems, memoryMigrate: true });
    this.calls.cpusets.create('staying', { cpus, mems });
    for (const [kind, name, pages, migrate] of OBJECTS) {
      const object = this.shadow.addObject(
        files.create(kind, name, pages, { migrate: migrate === 'odd' ? setup.oddOperation : migrate }),
      );
      if (kind === 'shmem') continue;
      for (let i = 0; i < pages; i++) {
        object.values[i] = i % 4 === 0 ? 0 : this.freshStamp();
        object.file.disk.set(i, object.values[i]);
      }
    }
  }

  /** Nodes whose memory is there now. */
  get nodesWithMemory(): NodeId[] {
    return this.machine.topology.nodesWithMemory();
  }

  freshStamp(): number {
    return ++this.stamp;
  }

  cpuAt(choice: number): CpuId {
    return this.cpus[choice % this.cpus.length];
  }

  /** A subset of the nodes with memory that is not empty. */
  nodesAt(choice: number): NodeId[] {
    const nodes = this.nodesWithMemory;
    const some = nodes.filter((_, i) => ((choice >>> i) & 1) !== 0);
    return some.length > 0 ? some : [nodes[choice % nodes.length]];
  }

  processAt(choice: number): ProcessShadow | null {
    const { processes } = this.shadow;
    return processes.length === 0 ? null : processes[choice % processes.length];
  }

  taskAt(process: ProcessShadow, choice: number): Task {
    return process.tasks[choice % process.tasks.length];
  }

  threadCount(): number {
    return this.shadow.processes.reduce((threads, process) => threads + process.tasks.length, 0);
  }

  start(cpu: CpuId, base: number, group: string): ProcessShadow {
    const task = this.machine.process.newProcess(cpu);
    this.calls.cpusets.attach(group, task);
    return this.adopt(task, BASES[base % BASES.length]);
  }

  adopt(task: Task, base: number): ProcessShadow {
    const process = new ProcessShadow(task.space, base);
    process.tasks.push(task);
    this.shadow.processes.push(process);
    return process;
  }

  endThread(process: ProcessShadow, task: Task): void {
    this.machine.process.exit(task);
    process.tasks.splice(process.tasks.indexOf(task), 1);
    if (process.tasks.length > 0) return;
    const { processes } = this.shadow;
    processes.splice(processes.indexOf(process), 1);
  }

  endProcess(process: ProcessShadow): void {
    for (const task of [...process.tasks]) this.endThread(process, task);
  }

  /** The largest process goes, as the kernel's killer chooses. */
  killForMemory(): void {
    const size = ({ space }: ProcessShadow) => space.rssAnon + space.rssFile + space.rssShmem + space.swapEntries;
    const { processes } = this.shadow;
    if (processes.length === 0) return;
    this.coverage.event('killed for want of memory');
    this.endProcess(processes.reduce((largest, process) => (size(process) > size(largest) ? process : largest)));
  }

  /** The device writes a page that it holds. @returns false if it does not hold it for that */
  writeByDevice(process: ProcessShadow, task: Task, at: number): boolean {
    const pfn = this.driver.access(task, process.base + at, true);
    if (pfn === NO_PFN) return false;
    const stamp = this.freshStamp();
    this.machine.contents?.set(pfn, stamp);
    this.shadow.write(process, at, stamp);
    return true;
  }

  /** One access, its outcome and its contents compared with what should come of it. @returns false after OOM */
  touch(process: ProcessShadow, task: Task, at: number, isWrite: boolean): boolean {
    const { machine, shadow, coverage } = this;
    const expected = shadow.expect(process, at, isWrite);
    this.log.task = task;
    // Every other page by its entry, as a replay does, where there is one.
    const page = at % 2 === 0 ? NO_PAGE : machine.tables.walk(process.space.root, process.base + at);
    const pfn =
      page === NO_PAGE ? machine.touch(task, process.base + at, isWrite) : machine.access(task, page, isWrite);
    if (pfn === -OOM) {
      coverage.event('access: out of memory');
      // A private write of a file's page takes its own frame first, and gives it back if it lacks the next one.
      const copies = isWrite && process.object[at] !== ANONYMOUS && (process.flags[at] & VM_SHARED) === 0;
      this.log.outOfMemory(task, copies ? 1 : 0);
      bugOn(
        expected !== 'page' && !(copies && expected === 'sigbus'),
        'INV-13: out of memory for a page that is not there',
        at,
      );
      return false;
    }
    if (pfn === -SIGBUS && expected === 'page' && this.isInDevice(process, at)) {
      coverage.event('access: no room to come back from the device');
      return false;
    }
    const found = pfn > 0 ? 'page' : pfn === -SIGSEGV ? 'segv' : pfn === -SIGBUS ? 'sigbus' : 'nothing known';
    if (found !== expected)
      bugOn(true, `INV-13: an access ended in ${found}, expected ${expected}, page of the process`, at);
    coverage.event(ACCESS_EVENTS[expected][isWrite ? 1 : 0]);
    if (expected !== 'page') return true;
    if (isWrite) {
      const stamp = this.freshStamp();
      machine.contents?.set(pfn, stamp);
      shadow.write(process, at, stamp);
    } else {
      shadow.read(process, at, machine.contents?.get(pfn) ?? 0);
    }
    return true;
  }

  private isInDevice({ space, base }: ProcessShadow, at: number): boolean {
    const page = this.machine.tables.walk(space.root, base + at);
    return page !== NO_PAGE && this.machine.tables.isDevice(page);
  }

  /** A read or write call of one page. @returns false after OOM */
  callFile(object: ObjectShadow, index: number, task: Task, isWrite: boolean): boolean {
    const { machine, coverage } = this;
    this.log.task = task;
    const outcome = machine.file.access(task, object.file, index, isWrite);
    const isThere = index < object.values.length;
    if (outcome === OOM) {
      coverage.event('file call: out of memory');
      this.log.outOfMemory(task);
      bugOn(!isThere, 'INV-13: out of memory for a page that is not there', index);
      return false;
    }
    bugOn((outcome === SIGBUS) === isThere, 'INV-13: a call beyond the end, or one that should be, page', index);
    if (!isThere) {
      coverage.event('file call: beyond the end');
      return true;
    }
    const pfn = machine.file.lastPage();
    if (isWrite) {
      object.values[index] = this.freshStamp();
      machine.contents?.set(pfn, object.values[index]);
    } else if (machine.contents?.get(pfn) !== object.values[index]) {
      bugOn(true, `INV-13: a read call gave ${String(machine.contents?.get(pfn))}, not`, object.values[index]);
    }
    return true;
  }

  /** The next mapped page from `from` on, around the window; `from` itself if nothing is mapped. */
  mappedFrom(process: ProcessShadow, from: number): number {
    for (let i = 0; i < WINDOW; i++) {
      const at = (from + i) % WINDOW;
      if (process.isMapped(at)) return at;
    }
    return from % WINDOW;
  }
}

const ACCESS_EVENTS = {
  page: ['access: read', 'access: write'],
  segv: ['access: SIGSEGV for a read', 'access: SIGSEGV for a write'],
  sigbus: ['access: SIGBUS for a read', 'access: SIGBUS for a write'],
} as const;

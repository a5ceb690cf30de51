import type { Calls, Machine } from '../../engine/index.js';
import { OOM, SIGBUS, SIGSEGV } from '../../fault/index.js';
import { VM_EXEC, VM_LOCKED, VM_READ, VM_SHARED, VM_WRITE, type FileObject, type Task } from '../../mm/index.js';
import { EFAULT, EINVAL, errnoName, MmError } from '../../errors.js';
import type { Counters } from '../../stats/index.js';
import { asCpuId, asNodeId } from '../../units.js';
import { countHuge, type HugeCounts } from './huge-counts.js';
import type { Step, StepResult } from './recording.js';
import type { Governed } from './rule-of.js';

const MODES: Readonly<Record<string, number>> = {
  ...{ default: 0, preferred: 1, bind: 2, interleave: 3, local: 4, preferred_many: 5, weighted_interleave: 6 },
};
const FLAGS: Readonly<Record<string, number>> = {
  ...{ static: 1 << 15, relative: 1 << 14, numa_balancing: 1 << 13 },
  ...{ strict: 1, move: 2, move_all: 4, lazy: 8 },
  ...{ node: 1, addr: 2, mems_allowed: 4 },
};
const PROTECTION: Readonly<Record<string, number>> = {
  rw: VM_READ | VM_WRITE,
  r: VM_READ,
  none: 0,
  rx: VM_READ | VM_EXEC,
};
const SIGNALS: Readonly<Record<number, string>> = { [SIGSEGV]: 'SIGSEGV', [SIGBUS]: 'SIGBUS' };
/** A loop of touches is one round per tick of the kernel. */
const TICK_MS = 4;
const PAGE_BYTES = 4096n;

interface Region {
  vpn: number;
  length: number;
}

/** A step that the model has no operation for. */
const unsupported = (what: string): MmError => new MmError('NOT_THERE_YET', what);

/** Executes the steps of one case on a machine and says what it predicts. */
export class Simulator {
  private readonly tasks = new Map<string, Task>();
  private readonly regions = new Map<string, Map<string, Region>>();
  private readonly objects = new Map<string, FileObject>();

  constructor(
    private readonly machine: Machine,
    private readonly calls: Calls,
  ) {}

  get counters(): Counters {
    return this.machine.counters;
  }

  /** What decides where pages go that the step touches. */
  governed(step: Step): Governed {
    const task = this.tasks.get(text(step, 'task'));
    const vpn = this.regions.get(text(step, 'task'))?.get(text(step, 'region'))?.vpn;
    const vma = vpn === undefined ? null : (task?.space.find(vpn + pageOf(step)) ?? null);
    if (task === undefined || vma === null) return { kind: null, mode: null };
    const { file, isShared } = vma;
    const kind = file === null ? 'private' : !isShared ? 'copy' : file.isShmem ? 'shmem' : 'file';
    const own = file?.isShmem === true ? file.policyAt(vma.filePage) : isShared ? null : vma.policy;
    return { kind, mode: (own ?? task.policy)?.definition.mode?.number ?? null };
  }

  /** One system call. */
  execute(step: Step): StepResult {
    const { lru } = this.machine;
    lru.drainAll();
    const task = this.tasks.get(text(step, 'task'));
    const [minor, major] = [task?.minorFaults ?? 0, task?.majorFaults ?? 0];
    const result = this.dispatch(step);
    lru.drainAll();
    return { ...result, minflt: (task?.minorFaults ?? 0) - minor, majflt: (task?.majorFaults ?? 0) - major };
  }

  /** What move_pages would report for every page of every region of every living task. */
  pages(): Record<string, number[]> {
    const states: Record<string, number[]> = {};
    for (const [name, task] of this.tasks) {
      for (const [region, { vpn, length }] of this.regions.get(name) ?? []) {
        states[`${name}.${region}`] = Array.from({ length }, (_, i) => this.calls.pages.statusOf(task, vpn + i));
      }
    }
    return states;
  }

  /** What every region of every living task shows of huge pages. */
  hugeCounts(): Record<string, HugeCounts> {
    const counts: Record<string, HugeCounts> = {};
    for (const [name, task] of this.tasks) {
      for (const [region, range] of this.regions.get(name) ?? [])
        counts[`${name}.${region}`] = countHuge(this.machine, task, range);
    }
    return counts;
  }

  private dispatch(step: Step): StepResult {
    const operation = (this.operations as Record<string, ((step: Step) => StepResult) | undefined>)[step.op];
    if (operation === undefined) throw unsupported(`operation ${step.op}`);
    return operation(step);
  }

  private readonly operations = {
    task: (step: Step) => {
      this.addTask(text(step, 'task'), this.machine.process.newProcess(asCpuId(number(step, 'cpu'))));
      return done(0);
    },
    fork: (step: Step) => {
      const parent = this.task(step);
      const child = this.machine.process.fork(parent, parent.cpu);
      this.addTask(text(step, 'child'), child);
      const own = this.regions.get(text(step, 'task')) ?? new Map<string, Region>();
      this.regions.set(text(step, 'child'), new Map([...own].map(([name, region]) => [name, { ...region }])));
      return done(0);
    },
    exit: (step: Step) => {
      this.remove(text(step, 'task'));
      return done(0);
    },
    sched_setaffinity: (step: Step) => {
      const task = this.task(step);
      const allowed = this.calls.cpusets.cpusOf(task);
      const cpus = (step.cpus as number[]).filter((cpu) => allowed.includes(asCpuId(cpu)));
      if (cpus.length === 0) return done(-EINVAL);
      if (!cpus.includes(task.cpu)) this.machine.process.moveTask(task, asCpuId(cpus[0]));
      return done(0);
    },
    setuid: (step: Step) => {
      this.task(step).uid = number(step, 'uid');
      return done(0);
    },
    object: (step: Step) => this.createObject(step),
    swapon: () => done(this.calls.swap.swapon(65536)),
    swapoff: () => done(this.calls.swap.swapoff()),
    sysctl: (step: Step) => done(this.calls.sysctl(text(step, 'name'), step.value as number | string)),
    fill: (step: Step) => {
      const { zones } = this.machine;
      const node = asNodeId(number(step, 'node'));
      if (step.freeHuge === undefined) zones.close(node, true);
      else zones.limitHuge(node, number(step, 'freeHuge'));
      return done(0);
    },
    unfill: () => {
      const { zones, topology } = this.machine;
      for (const node of topology.allNodes()) {
        zones.close(node, false);
        zones.limitHuge(node, null);
      }
      return done(0);
    },
    drop_caches: () => {
      this.calls.file.dropCaches();
      return done(0);
    },
    cpuset_create: (step: Step) => {
      if (step.spreadPage === true) throw unsupported('cpuset.memory_spread_page');
      return done(
        this.calls.cpusets.create(text(step, 'cpuset'), {
          ...(step.cpus !== undefined && { cpus: step.cpus as string }),
          ...(step.mems !== undefined && { mems: step.mems as string }),
          ...(step.memoryMigrate !== undefined && { memoryMigrate: step.memoryMigrate as boolean }),
        }),
      );
    },
    cpuset_set: (step: Step) =>
      done(
        step.mems === undefined
          ? this.calls.cpusets.setMemoryMigrate(text(step, 'cpuset'), step.memoryMigrate as boolean)
          : this.calls.cpusets.setMems(text(step, 'cpuset'), step.mems as string),
      ),
    cpuset_attach: (step: Step) => done(this.calls.cpusets.attach(text(step, 'cpuset'), this.task(step))),
    mmap: (step: Step) => this.mmap(step),
    munmap: (step: Step) => {
      if (offset(step) % 4096 !== 0) return done(-EINVAL);
      const { vpn, count } = this.range(step);
      const ret = this.calls.areas.munmap(this.task(step), vpn, count);
      const region = this.region(step);
      if (ret === 0 && vpn <= region.vpn && vpn + count >= region.vpn + region.length) {
        this.regions.get(text(step, 'task'))?.delete(text(step, 'region'));
      }
      return done(ret);
    },
    mprotect: (step: Step) => {
      if (offset(step) % 4096 !== 0) return done(-EINVAL);
      const { vpn, count } = this.range(step);
      return done(this.calls.areas.mprotect(this.task(step), vpn, count, PROTECTION[text(step, 'prot')]));
    },
    mlock: (step: Step) => {
      const { vpn, count } = this.range(step);
      return done(this.calls.areas.mlock(this.task(step), vpn, count, true));
    },
    munlock: (step: Step) => {
      const { vpn, count } = this.range(step);
      return done(this.calls.areas.mlock(this.task(step), vpn, count, false));
    },
    mremap: (step: Step) => this.mremap(step),
    madvise: (step: Step) => {
      if (offset(step) % 4096 !== 0) return done(-EINVAL);
      const { vpn, count } = this.range(step);
      return done(this.calls.advice.madvise(this.task(step), vpn, count, String(step.advice)));
    },
    touch: (step: Step) => this.touch(step),
    touch_loop: (step: Step) => {
      const task = this.task(step);
      for (let ms = 0; ms < number(step, 'ms'); ms += TICK_MS) {
        this.touch(step);
        this.machine.meter.nowNs += TICK_MS * 1e6;
        this.machine.balancing?.ran(task, TICK_MS * 1e6);
      }
      return done(0);
    },
    file_write: (step: Step) => this.fileCalls(step, true),
    file_read: (step: Step) => this.fileCalls(step, false),
    numa_maps: (step: Step) => this.numaMaps(step),
    mbind: (step: Step) => {
      const { start, length } = this.bytes(step);
      const { policy } = this.calls;
      const mode = modeOf(step);
      return done(
        policy.mbind(this.task(step), start, length, mode, mask(step, 'nodes'), maxnode(step, 65), bits(step, 'flags')),
      );
    },
    set_mempolicy: (step: Step) => {
      const { policy } = this.calls;
      return done(policy.setMempolicy(this.task(step), modeOf(step), mask(step, 'nodes'), maxnode(step, 65)));
    },
    get_mempolicy: (step: Step) => this.getMempolicy(step),
    set_mempolicy_home_node: (step: Step) => {
      const { start, length } = this.bytes(step);
      const { policy } = this.calls;
      return done(policy.setHomeNode(this.task(step), start, length, number(step, 'node'), number(step, 'flags')));
    },
    move_pages: (step: Step) => this.movePages(step),
    migrate_pages: (step: Step) => {
      const target = this.target(step);
      const { pages } = this.calls;
      return done(pages.migratePages(this.task(step), target, mask(step, 'from'), mask(step, 'to'), maxnode(step, 65)));
    },
  };

  private addTask(name: string, task: Task): void {
    this.tasks.set(name, task);
    this.regions.set(name, new Map());
  }

  private remove(name: string): void {
    const task = this.tasks.get(name);
    if (task !== undefined) this.machine.process.exit(task);
    this.tasks.delete(name);
    this.regions.delete(name);
  }

  private task(step: Step): Task {
    const task = this.tasks.get(text(step, 'task'));
    if (task === undefined) throw unsupported(`task ${text(step, 'task')} is not alive`);
    return task;
  }

  private target(step: Step): Task | null {
    if (step.pid !== undefined) return null;
    return this.tasks.get(text(step, 'target')) ?? null;
  }

  private region(step: Step): Region {
    const region = this.regions.get(text(step, 'task'))?.get(text(step, 'region'));
    if (region === undefined) throw unsupported(`region ${text(step, 'region')} is not mapped`);
    return region;
  }

  private range(step: Step): { vpn: number; count: number } {
    return { vpn: this.region(step).vpn + pageOf(step), count: typeof step.count === 'number' ? step.count : 0 };
  }

  private bytes(step: Step): { start: bigint; length: bigint } {
    const { vpn, count } = this.range(step);
    const start = BigInt(vpn) * PAGE_BYTES + BigInt(offset(step));
    const length = step.byteLen === undefined ? BigInt(count) * PAGE_BYTES : BigInt(step.byteLen as string | number);
    return { start, length };
  }

  private createObject(step: Step): StepResult {
    const hugeOption = step.mountHuge ?? 'never';
    if (hugeOption !== 'never' && hugeOption !== 'always')
      throw unsupported(`mount option huge=${text(step, 'mountHuge')}`);
    const kind = text(step, 'kind');
    const name = text(step, 'object');
    const inode = step.result.inode;
    const file = this.machine.files.create(kind === 'ext4' ? 'file' : 'shmem', name, number(step, 'length'), {
      ...(inode !== undefined && { inode }),
    });
    file.usesHuge = hugeOption === 'always';
    if (step.mountPolicy !== undefined) {
      const errno = this.calls.mountPolicy(file, text(step, 'mountPolicy'));
      if (errno !== 0) return done(errno);
    }
    this.objects.set(name, file);
    return inode === undefined ? done(0) : { ...done(0), inode };
  }

  private mmap(step: Step): StepResult {
    const task = this.task(step);
    const length = number(step, 'length');
    const isShared = step.share === 'shared';
    const inode = step.result.inode;
    let file: FileObject | null = null;
    if (step.kind === 'object') file = this.objects.get(text(step, 'object')) ?? null;
    else if (isShared) {
      file = this.machine.files.create('shmem', text(step, 'region'), length, {
        ...(inode !== undefined && { inode }),
      });
    }
    const flags =
      PROTECTION[typeof step.prot === 'string' ? step.prot : 'rw'] |
      (isShared ? VM_SHARED : 0) |
      (step.locked === true ? VM_LOCKED : 0);
    const ret = this.calls.areas.mmap(task, {
      ...{ vpn: number(step, 'vpn'), pages: length, flags, file, name: '' },
      filePage: typeof step.pageOffset === 'number' ? step.pageOffset : 0,
      populate: step.populate === true,
    });
    if (ret === 0)
      this.regions.get(text(step, 'task'))?.set(text(step, 'region'), { vpn: number(step, 'vpn'), length });
    return inode === undefined ? done(ret) : { ...done(ret), inode };
  }

  private mremap(step: Step): StepResult {
    const region = this.region(step);
    const newLength = number(step, 'newLength');
    const toVpn = typeof step.toVpn === 'number' ? step.toVpn : null;
    const ret = this.calls.areas.mremap(this.task(step), region.vpn, region.length, newLength, toVpn);
    if (ret === 0) {
      region.length = newLength;
      if (toVpn !== null) region.vpn = toVpn;
    }
    return done(ret);
  }

  private touch(step: Step): StepResult {
    const task = this.task(step);
    const { vpn, count } = this.range(step);
    const stride = typeof step.stride === 'number' ? step.stride : 1;
    const isWrite = step.access === 'w';
    for (let i = 0; i < count; i++) {
      const outcome = this.machine.touch(task, vpn + i * stride, isWrite);
      if (outcome > 0) continue;
      if (-outcome === OOM) {
        this.remove(text(step, 'task'));
        return { ret: -1, errno: null, signal: 'SIGKILL', killed: true };
      }
      return { ret: i, errno: null, signal: SIGNALS[-outcome] };
    }
    return done(count);
  }

  private fileCalls(step: Step, isWrite: boolean): StepResult {
    const file = this.objects.get(text(step, 'object'));
    if (file === undefined) throw unsupported(`object ${text(step, 'object')}`);
    const [page, count] = [number(step, 'page'), number(step, 'count')];
    let pages = 0;
    for (let index = page; index < page + count; index++) {
      if (!this.calls.file.page(this.task(step), file, index, isWrite)) break;
      pages++;
    }
    return done(pages);
  }

  private numaMaps(step: Step): StepResult {
    const { vpn, length } = this.region(step);
    const lines = this.calls.numaMaps(this.task(step)).filter((line) => line.vpn >= vpn && line.vpn < vpn + length);
    const maps = lines.map((line) => {
      const entry: Record<string, number | string> = { page: line.vpn - vpn, policy: line.policy };
      if (line.anon > 0) entry.anon = line.anon;
      line.nodes.forEach((pages, node) => {
        if (pages > 0) entry[`N${String(node)}`] = pages;
      });
      return entry;
    });
    return { ...done(0), maps };
  }

  private getMempolicy(step: Step): StepResult {
    const hasRegion = typeof step.region === 'string';
    const address = hasRegion ? this.bytes(step).start : BigInt(typeof step.addr === 'number' ? step.addr : 0);
    const answer = this.calls.policy.getMempolicy(
      this.task(step),
      address,
      maxnode(step, 64),
      bits(step, 'flags'),
      step.nodemask !== false,
      step.policyPtr !== false,
    );
    return { ...done(answer.ret), value: answer.value, nodes: answer.nodes, nodeWords: answer.words };
  }

  private movePages(step: Step): StepResult {
    const { vpn } = this.region(step);
    const indices = step.indices as number[];
    const vpns = indices.slice(0, typeof step.nrPages === 'number' ? step.nrPages : undefined).map((i) => vpn + i);
    const status = indices.map((): number | null => null);
    const nodes = Array.isArray(step.nodes) ? (step.nodes as number[]) : null;
    const isUnreadable = step.pagesPtr === 'bad' || step.nodesPtr === 'bad' || step.nodes === 'bad';
    const [task, target, flags] = [this.task(step), this.target(step), bits(step, 'flags')];
    const ret = this.calls.pages.movePages(task, target, isUnreadable ? [] : vpns, nodes, flags, status);
    const isLost = isUnreadable || step.statusPtr === 'bad';
    if (ret === 0 && vpns.length > 0 && isLost) return { ...done(-EFAULT), status: status.map(() => null) };
    return { ...done(ret), status };
  }
}

/** An answer of a call: a count, or minus an errno. */
function done(ret: number): StepResult {
  return ret < 0 ? { ret: -1, errno: errnoName(-ret) } : { ret, errno: null };
}

function text(step: Step, key: string): string {
  return String(step[key]);
}

function number(step: Step, key: string): number {
  return Number(step[key]);
}

function pageOf(step: Step): number {
  return typeof step.page === 'number' ? step.page : 0;
}

function offset(step: Step): number {
  return typeof step.addrOffset === 'number' ? step.addrOffset : 0;
}

function maxnode(step: Step, initial: number): number {
  return typeof step.maxnode === 'number' ? step.maxnode : initial;
}

function mask(step: Step, key: string): readonly number[] | null | 'bad' {
  const value = step[key];
  return Array.isArray(value) ? (value as number[]) : value === 'bad' ? 'bad' : null;
}

/** Names and raw numbers or-ed together. */
function bits(step: Step, key: string): number {
  const value = step[key];
  if (value === undefined) return 0;
  const list = (Array.isArray(value) ? value : [value]) as (string | number)[];
  return list.reduce<number>((sum, flag) => sum | (typeof flag === 'number' ? flag : FLAGS[flag]), 0);
}

function modeOf(step: Step): number {
  const mode = typeof step.mode === 'number' ? step.mode : MODES[text(step, 'mode')];
  return mode | bits(step, 'modeFlags');
}

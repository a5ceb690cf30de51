import { CASES } from '../../bench/cases/index.js';
import { LOOP, type BenchCase } from '../../bench/question.js';
import { makeAccessLoop, type AccessLoop } from '../../src/engine/replay/access-loop.js';
import type { Machine } from '../../src/engine/index.js';
import { Tally } from '../../src/engine/replay/tally.js';
import { TraceMemory } from '../../src/engine/replay/trace-memory.js';
import { VM_READ, VM_SHARED, VM_WRITE, type Task, type Vma } from '../../src/mm/index.js';
import type { CounterName } from '../../src/stats/index.js';
import type { TraceBatch } from '../../src/trace/index.js';
import type { PageId } from '../../src/units.js';
import { cpuOf, tinyMachine } from '../support/tiny-machine.js';
import { anonymous, sidecarFor } from '../support/write-trace.js';

/**
 * Bytes that accesses or faults of one kind leave on the heap. A process of its own, built, with a nursery so large that
 * nothing is collected between two readings: then the difference of two readings is what was allocated.
 *
 * node --min-semi-space-size=256 --max-semi-space-size=256 garbage-run.js KIND RUNS
 * Prints the bytes of RUNS × LOOP accesses or faults, after as many to warm up.
 */
const [, , kind, runs] = process.argv;
const RUNS = Number(runs);

/** What is measured: `prepare` is not, `run` makes LOOP accesses and is; `count` of them must have been what the name says. */
interface Measured {
  prepare(): void;
  run(): void;
  count?(): number;
  verify?(): void;
}

const used = (): number => process.memoryUsage().heapUsed;

function bytesOf({ prepare, run, count }: Measured): number {
  for (let i = 0; i < RUNS; i++) {
    prepare();
    used();
    run();
  }
  let [readings, all, counted] = [0, 0, 0];
  for (let i = 0; i < RUNS; i++) {
    prepare();
    const countBefore = count?.() ?? -LOOP;
    const before = used();
    const between = used();
    run();
    const after = used();
    readings += between - before;
    all += after - between;
    counted += (count?.() ?? 0) - countBefore;
  }
  if (counted !== RUNS * LOOP) throw new Error(`${String(counted)} of ${String(RUNS * LOOP)} were of this kind`);
  return all - readings;
}

const FIRST = 2 ** 20;
/** Rows that a thread runs in one go. */
const QUANTUM = 64;
const PRIVATE = { flags: VM_READ | VM_WRITE };

/** Four nodes with one CPU each, a process with a thread on each, an area of LOOP pages that is mapped anew every time. */
function bed(framesPerNode = 4 * LOOP) {
  const machine = tinyMachine({ nodes: 4, framesPerNode, swapPages: 4 * LOOP, keepContents: false });
  const first = machine.process.newProcess(cpuOf(machine, 0));
  const tasks = [first];
  for (let node = 1; node < 4; node++) tasks.push(machine.process.newThread(first, cpuOf(machine, node)));
  const ids = new Int32Array(LOOP);
  const map = (attributes: Parameters<Machine['memory']['mmap']>[3]): Vma => {
    const vma = machine.memory.mmap(first.space, FIRST, LOOP, attributes, first.cpu);
    for (let i = 0; i < LOOP; i++) ids[i] = machine.spaces.pageIn(vma, i);
    return vma;
  };
  const touch = (task: (i: number) => number, isWrite: boolean) => {
    for (let i = 0; i < LOOP; i++) machine.access(tasks[task(i)], ids[i] as PageId, isWrite);
  };
  return { machine, tasks, first, ids, map, touch };
}

const onEach = (i: number): number => i & 3;
const onNext = (i: number): number => (i + 1) & 3;

function anonymousMemory(before: 'read' | null, isWrite: boolean, counter: CounterName): Measured {
  const { machine, map, touch } = bed();
  return {
    count: () => machine.counters.get(counter),
    prepare() {
      map(PRIVATE);
      if (before === 'read') touch(onEach, false);
    },
    run: () => {
      touch(onEach, isWrite);
    },
  };
}

/** Pages of a file that are cached; `moves`: on the wrong node, so that the hook moves each. */
function fileMemory(moves: boolean, isPrivateWrite: boolean): Measured {
  const { machine, first, map, touch } = bed();
  const file = machine.files.create('file', 'file.dat', LOOP);
  const attributes = { flags: PRIVATE.flags | (isPrivateWrite ? 0 : VM_SHARED), file, filePage: 0 };
  let turn = 0;
  map(attributes);
  touch(onEach, false);
  const counter = isPrivateWrite ? 'fault_cow' : moves ? 'mof_migrate_done' : 'fault_file';
  return {
    count: () => machine.counters.get(counter),
    prepare() {
      if (isPrivateWrite) map(attributes);
      else machine.policy.unmapLazily(first, [...first.space.vmas], null);
      if (moves) turn++;
    },
    run: () => {
      touch((turn & 1) === 0 ? onEach : onNext, isPrivateWrite);
    },
  };
}

function fileCalls(isWrite: boolean): Measured {
  const { machine, tasks } = bed();
  const file = machine.files.create('file', 'file.dat', LOOP);
  return {
    count: () => machine.counters.get('file_call'),
    prepare: () => undefined,
    run() {
      for (let i = 0; i < LOOP; i++) machine.file.access(tasks[onEach(i)], file, i, isWrite);
    },
  };
}

/** Half of the pages are out at any time: every touch reads one from swap and pushes others out. */
function underPressure(): Measured {
  const { machine, map, touch } = bed(LOOP / 8);
  map(PRIVATE);
  touch(onEach, true);
  return {
    count: () => machine.counters.get('fault_swap_major'),
    prepare: () => undefined,
    run: () => {
      touch(onEach, true);
    },
  };
}

function replayBed() {
  const machine = tinyMachine({ nodes: 4, framesPerNode: 4 * LOOP, keepContents: false });
  const sidecar = { ...sidecarFor([[0, 0, 0, 1, 1, 1]]), regions: [anonymous({ pages: LOOP })] };
  const memory = new TraceMemory(machine, sidecar, []);
  const task = machine.process.newProcess(cpuOf(machine, 0));
  const loop = makeAccessLoop({ machine, memory, tally: new Tally(4) });
  const column = (value: (i: number) => number) => Uint32Array.from({ length: LOOP }, (_, i) => value(i));
  const columns = (page: (i: number) => number) => ({
    ...{ firstRow: 0, rows: LOOP, quantum: column(() => 0), tid: new Uint16Array(LOOP), page: column(page) },
    ...{ count: column((i) => 1 + (i % 7)), miss: column((i) => (i >> 1) & 1) },
  });
  return { machine, memory, task, loop, columns };
}

function runRows(loop: AccessLoop, batch: TraceBatch, task: Task, ids: Int32Array): void {
  loop.load(batch);
  for (let row = 0; row < LOOP; row += QUANTUM) loop.run(row, row + QUANTUM, task, 0, ids);
}

/** Rows of a trace through the loop of the replay, on pages that are there; the misses of half of them reach memory. */
function rows(): Measured {
  const { memory, task, loop, columns } = replayBed();
  const batch = { ...columns((i) => (i * 31) % LOOP), op: Uint8Array.from({ length: LOOP }, (_, i) => i & 1) };
  memory.mapRegion(anonymous({ pages: LOOP }), task);
  return {
    prepare: () => undefined,
    run() {
      runRows(loop, batch, task, memory.idsOf(0));
    },
  };
}

/** The same where every eighth row is the first touch of its page: what the loop of the replay adds to the fault. */
function faultingRows(): Measured {
  const { machine, memory, task, loop, columns } = replayBed();
  const batch = { ...columns((i) => i >> 3), op: new Uint8Array(LOOP).fill(1) };
  const region = anonymous({ pages: LOOP });
  return {
    count: () => machine.counters.get('fault_anon') * 8,
    prepare() {
      memory.mapRegion(region, task);
    },
    run() {
      runRows(loop, batch, task, memory.idsOf(0));
    },
  };
}

/** What the measurement must find: an object for each access. */
function planted(): Measured {
  const { ids } = bed();
  const kept: { id: number }[] = [];
  return {
    prepare: () => undefined,
    run() {
      for (let i = 0; i < LOOP; i++) kept[i & 7] = { id: ids[i] };
    },
  };
}

const kinds: Record<string, () => Measured | Promise<Measured>> = {
  planted,
  rows,
  'faulting-rows': faultingRows,
  'zero-page': () => anonymousMemory(null, false, 'fault_zero_page'),
  anon: () => anonymousMemory(null, true, 'fault_anon'),
  'cow-zero-page': () => anonymousMemory('read', true, 'fault_cow'),
  file: () => fileMemory(false, false),
  'file-misplaced': () => fileMemory(true, false),
  'cow-file': () => fileMemory(false, true),
  'file-read-call': () => fileCalls(false),
  'file-write-call': () => fileCalls(true),
  'swap-major': underPressure,
};
for (const { name, make, loop, isAsync } of CASES)
  if (loop === undefined && isAsync === undefined) kinds[name] = () => ofBenchmark(make);

async function ofBenchmark(make: BenchCase['make']): Promise<Measured> {
  const { prepare, run, verify } = await make(2 ** 15);
  return {
    prepare: () => void prepare(LOOP),
    run: () => void run(LOOP),
    verify,
  };
}

const measured = await kinds[kind]();
const bytes = bytesOf(measured);
measured.verify?.();
process.stdout.write(`${String(bytes)}\n`);

import { makeCalls } from '../../engine/index.js';
import { VM_READ, VM_SHARED, VM_WRITE, type FileObject, type Task, type VmaAttributes } from '../../mm/index.js';
import type { CounterName } from '../../stats/index.js';
import type { PageId } from '../../units.js';
import { BENCH_NODES, type Bed } from './bed.js';
import { mustHold, type Case } from './case.js';

const PRIVATE = VM_READ | VM_WRITE;
const SHARED = PRIVATE | VM_SHARED;
/** Where memory is short, this share of the accesses must be faults of the kind; everywhere else all. */
const ENOUGH = 0.95;

/** What is peculiar to a kind of fault. */
interface Kind {
  readonly about: string;
  /** Counts the faults of the kind. */
  readonly counter: CounterName;
  readonly isWrite: boolean;
  /** Part of the working set that fits into the machine; left out: all of it does. */
  readonly memory?: number;
  /** Without the hooks of migrate-on-fault: nobody asks whether a page is misplaced. */
  readonly hooks?: false;
  /** What a round needs: called before every page of the area is touched once more. */
  begin(bed: Bed): () => void;
}

/** Kinds of fault beside those of the swap cache, under the names of the cases. */
export const FAULT_KINDS = {
  anon: {
    about: 'first write to private memory',
    counter: 'fault_anon',
    isWrite: true,
    begin: (bed) => () => void bed.map(),
  },
  'zero-page': {
    about: 'first read of private memory',
    counter: 'fault_zero_page',
    isWrite: false,
    begin: (bed) => () => void bed.map(),
  },
  'zero-page-write': {
    about: 'first write where the zero page is mapped',
    counter: 'fault_cow',
    isWrite: true,
    begin: (bed) => () => {
      bed.map();
      bed.touchAll(false);
    },
  },
  cow: {
    about: 'write to a page that a child has too',
    counter: 'fault_cow',
    isWrite: true,
    begin: (bed) => afterFork(bed, true),
  },
  'write-in-place': {
    about: 'write to a page that a child had too',
    counter: 'fault_write_in_place',
    isWrite: true,
    begin: (bed) => afterFork(bed, false),
  },
  file: {
    about: 'a page of a file that is cached is mapped',
    counter: 'fault_file',
    isWrite: false,
    begin(bed) {
      const attributes = fileIn(bed, SHARED);
      bed.map(attributes);
      bed.touchAll(false);
      return () => void bed.map(attributes);
    },
  },
  'file-misplaced': {
    about: 'a page of a file that is cached elsewhere is moved and mapped',
    counter: 'mof_migrate_done',
    isWrite: false,
    begin(bed) {
      bed.map(fileIn(bed, SHARED));
      bed.touchAll(false);
      return () => {
        bed.unmapLazily();
        moveThreads(bed);
      };
    },
  },
  'file-major': {
    about: 'a page of a file is read from disk',
    counter: 'fault_file_major',
    isWrite: false,
    begin(bed) {
      const attributes = fileIn(bed, SHARED);
      const calls = callsOf(bed);
      return () => {
        bed.map(attributes);
        calls.file.dropCaches();
      };
    },
  },
  'file-private-write': {
    about: 'write to a private mapping of a file that is cached',
    counter: 'fault_cow',
    isWrite: true,
    begin(bed) {
      const attributes = fileIn(bed, PRIVATE);
      bed.map(attributes);
      bed.touchAll(false);
      return () => void bed.map(attributes);
    },
  },
  shmem: {
    about: 'first write to shared memory',
    counter: 'fault_shmem',
    isWrite: true,
    begin(bed) {
      const calls = callsOf(bed);
      let before: FileObject | null = null;
      return () => {
        const file = bed.machine.files.create('shmem', 'shmem', bed.pages);
        bed.map({ flags: SHARED, file, filePage: 0 });
        if (before !== null) calls.file.truncate(bed.first, before, 0);
        before = file;
      };
    },
  },
  'swap-major': {
    about: 'a page is read from swap, and others go out for it',
    counter: 'fault_swap_major',
    isWrite: true,
    memory: 1 / 2,
    begin: (bed) => swapped(bed),
  },
  'swap-major-unchecked': {
    about: 'the same without the hooks of migrate-on-fault',
    counter: 'fault_swap_major',
    isWrite: true,
    memory: 1 / 2,
    hooks: false,
    begin: (bed) => swapped(bed),
  },
} as const satisfies Record<string, Kind>;
export type FaultKindName = keyof typeof FAULT_KINDS;

/** Frames per node for a bed on which the kind can be measured; undefined: the usual number. */
export function framesPerNodeFor(name: FaultKindName, pages: number): number | undefined {
  const { memory }: Kind = FAULT_KINDS[name];
  return memory === undefined ? undefined : Math.ceil((pages * memory) / BENCH_NODES);
}

/** Whether pages that are found in a cache are checked. */
export const hasHooks = (name: FaultKindName): boolean => (FAULT_KINDS[name] as Kind).hooks !== false;

/** Faults of one kind: each page of the area is touched once, in the order of the touches, then everything is prepared anew. */
export function faultsOfKind(bed: Bed, name: FaultKindName): Case {
  const { counter, isWrite, begin, memory }: Kind = FAULT_KINDS[name];
  const { machine, tasks, touchTask, touchId, pages } = bed;
  const { access, counters } = machine;
  const beginRound = begin(bed);
  let at = pages;
  let made = 0;
  let elsewhere = 0;
  const touch = (from: number, until: number) => {
    for (let i = from; i < until; i++) access(tasks[touchTask[i]], touchId[i] as PageId, isWrite);
  };
  const run = (count: number) => {
    touch(at, at + count);
    at += count;
    made += count;
  };
  const prepare = (count: number) => {
    if (at + count <= pages) return;
    mustHold(count <= pages, `${String(pages)} pages are too few for ${String(count)} faults`);
    if (at < pages) run(pages - at);
    const before = counters.get(counter);
    beginRound();
    elsewhere += counters.get(counter) - before;
    at = 0;
  };
  elsewhere = counters.get(counter);
  // A round beforehand: what it touches for the first time the system gives only now.
  prepare(1);
  run(pages);
  return {
    prepare,
    run,
    verify() {
      const counted = counters.get(counter) - elsewhere;
      const isEnough = memory === undefined ? counted === made : counted >= made * ENOUGH;
      mustHold(isEnough, `${String(counted)} of ${String(made)} accesses were faults of kind ${name}`);
    },
  };
}

/** Faults that find their page mapped: somebody else was faster. */
export function spuriousFaults(bed: Bed): Case {
  const { machine, tasks, touchTask, touchId, pages } = bed;
  const { handleMmFault, counters } = machine;
  bed.place(false);
  const faultsBefore = counters.get('pgfault');
  const allocatedBefore = counters.get('pgalloc_normal');
  const touch = (from: number, until: number) => {
    for (let i = from; i < until; i++) handleMmFault(tasks[touchTask[i]], touchId[i] as PageId, false);
  };
  let at = 0;
  let made = 0;
  return {
    prepare(count) {
      if (at + count > pages) at = 0;
    },
    run(count) {
      touch(at, at + count);
      at += count;
      made += count;
    },
    verify() {
      mustHold(counters.get('pgfault') - faultsBefore === made, 'not every one was a fault');
      mustHold(counters.get('pgalloc_normal') === allocatedBefore, 'pages were allocated');
    },
  };
}

/** More pages than there is memory for: each touch brings one back. */
function swapped(bed: Bed): () => void {
  bed.map();
  bed.touchAll(true);
  return () => undefined;
}

/** A child shares all pages, and is still there when they are written, or not any more. */
function afterFork(bed: Bed, keepsChild: boolean): () => void {
  const { process } = bed.machine;
  let child: Task | null = null;
  return () => {
    if (child !== null) process.exit(child);
    bed.map();
    bed.touchAll(true);
    child = process.fork(bed.first, bed.first.cpu);
    if (keepsChild) return;
    process.exit(child);
    child = null;
  };
}

/** Each thread goes to the next node. */
function moveThreads({ machine, tasks }: Bed): void {
  const { topology, process } = machine;
  for (const task of tasks) {
    const cpus = topology.cpusOf(machine.topology.allNodes()[(task.node + 1) % BENCH_NODES]);
    process.moveTask(task, cpus[task.cpu % cpus.length]);
  }
}

function fileIn({ machine, pages }: Bed, flags: number): VmaAttributes {
  return { flags, file: machine.files.create('file', 'file.dat', pages), filePage: 0 };
}

function callsOf({ machine }: Bed): ReturnType<typeof makeCalls> {
  return makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: BENCH_NODES });
}

import { ACCOUNT_FAULT, type Meter, PRICE } from '../../cost/index.js';
import { MAJOR, MINOR, OOM, SIGBUS, type FileFault, type ShmemFault, type Outcome } from '../../fault/index.js';
import {
  cachedFrame,
  type Contents,
  type FileObject,
  type Frames,
  type Lru,
  PG_DIRTY,
  type Task,
} from '../../mm/index.js';
import { C, type Counters, type Tracer } from '../../stats/index.js';
import { NO_PFN, type Pfn } from '../../units.js';

export interface FileParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly fileFault: FileFault;
  readonly shmem: ShmemFault;
  readonly contents: Contents | null;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
}

export interface FileSyscalls {
  /**
   * Reads or writes one page of a file through the page cache: by the caller's task policy, no fault, never moved
   * (MP-13, FP-83). A write to a page that is not cached needs no read: it covers the whole page. Kernel: read(), write().
   * @returns MINOR (cached), MAJOR (read from the disk), SIGBUS (beyond the end) or OOM
   */
  access(task: Task, file: FileObject, index: number, isWrite: boolean, around?: boolean): Outcome;
  /** A page of a shmem object is brought into memory; with a reference, or `NO_PFN`. Kernel: shmem_getpage(). */
  bringIn(task: Task, file: FileObject, index: number): Pfn;
  /** The page the last `access` used. */
  lastPage(): Pfn;
}

export function makeFileSyscalls({
  frames,
  lru,
  fileFault,
  shmem,
  contents,
  counters,
  meter,
  tracer,
}: FileParts): FileSyscalls {
  let last = NO_PFN;
  let stamp = 0;

  function find(task: Task, file: FileObject, index: number, isWrite: boolean, around: boolean): Pfn {
    if (file.isShmem) return shmem.findOrCreate(task, file, index, isWrite);
    return isWrite ? fileFault.findOrCreate(task, file, index) : fileFault.findOrRead(task, file, index, false, around);
  }

  function access(
    task: Task,
    file: FileObject,
    index: number,
    isWrite: boolean,
    around = fileFault.readsAround,
  ): Outcome {
    if (index >= file.sizePages) return SIGBUS;
    counters.inc(C.file_call);
    meter.pay(ACCOUNT_FAULT, PRICE.fileCall);
    const pfn = find(task, file, index, isWrite, around);
    if (pfn === NO_PFN) return OOM;
    last = pfn;
    const outcome = fileFault.wasRead() ? MAJOR : MINOR;
    const head = frames.headOf(pfn);
    if (outcome === MINOR) lru.markAccessed(head); // PL-24
    if (outcome === MAJOR) counters.inc(C.file_call_major);
    if (isWrite) {
      frames.set(pfn, PG_DIRTY);
      if (contents !== null) contents.set(pfn, ++stamp);
    }
    lru.put(head); // the cache keeps it
    return outcome;
  }

  /** Told if it brings the page into the cache: a call that finds it there is no news. */
  function toldAccess(task: Task, file: FileObject, index: number, isWrite: boolean, around?: boolean): Outcome {
    if (tracer === null || cachedFrame(file, index) !== NO_PFN) return access(task, file, index, isWrite, around);
    const call = isWrite ? 'write' : 'read';
    tracer.who(task.id, task.cpu, -1);
    tracer.enter(call, index);
    const outcome = access(task, file, index, isWrite, around);
    tracer.who(task.id, task.cpu, -1);
    tracer.leave(call, outcome);
    return outcome;
  }

  return {
    access: tracer === null ? access : toldAccess,
    bringIn: (task, file, index) => shmem.findOrCreate(task, file, index, false),
    lastPage: () => last,
  };
}

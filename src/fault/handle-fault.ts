import {
  BLOCK_EMPTY,
  BLOCK_SMALL,
  PTE_DIRTY,
  PTE_HINT,
  PTE_WRITE,
  PTE_YOUNG,
  type PageTables,
} from '../hardware/index.js';
import {
  type Block,
  CALL_FAULTS,
  type Lru,
  POPULATE_FAULTS,
  type Spaces,
  type Task,
  VM_EXEC,
  VM_READ,
  VM_WRITE,
  type Vma,
} from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN, type PageId } from '../units.js';
import type { AnonFault } from './anon.js';
import type { CowFault } from './cow.js';
import type { DeviceFault } from './device.js';
import { FaultState } from './fault-state.js';
import type { FileFault } from './file.js';
import { FALLBACK, type HugeFault } from './huge.js';
import { MAJOR, MINOR, OOM, SIGBUS, SIGSEGV, type Outcome } from './outcome.js';
import type { ShmemFault } from './shmem.js';
import type { CopyOrder, FaultRetry } from './rules.js';
import type { SwapFault } from './swap.js';

export interface HandleFaultParts {
  readonly tables: PageTables;
  readonly spaces: Spaces;
  readonly block: Block;
  readonly anon: AnonFault;
  readonly file: FileFault;
  readonly shmem: ShmemFault;
  readonly swapFault: SwapFault;
  readonly cow: CowFault;
  readonly device: DeviceFault;
  /** null: the machine has no huge pages. */
  readonly hugeFault: HugeFault | null;
  /** A present entry that is marked; null: there is no balancer. */
  readonly doNumaPage: ((f: FaultState) => Outcome) | null;
  /** Told of each fault that was served; null: nobody wants to know. */
  readonly served: ((f: FaultState) => void) | null;
  readonly counters: Counters;
  readonly lru: Pick<Lru, 'put'>;
  readonly rules: { readonly faultRetry: FaultRetry; readonly copyOrder: CopyOrder };
  readonly tracer: Tracer | null;
}

/**
 * Serves one fault. To be called when `translate()` gave a reason instead of a frame; afterwards the access is tried
 * again. Kernel: handle_mm_fault(), mm/memory.c (FP section 1).
 *
 * @returns MINOR, MAJOR, RETRY, or a fatal outcome: SIGSEGV, SIGBUS, OOM
 */
export type HandleMmFault = (task: Task, page: PageId, isWrite: boolean) => Outcome;

export function makeHandleMmFault(parts: HandleFaultParts): HandleMmFault {
  const { tables, spaces, block, anon, file, shmem, swapFault, cow, device, counters, tracer } = parts;
  const { lru, hugeFault, doNumaPage, served } = parts;
  const { faultRetry, copyOrder } = parts.rules;
  let state: FaultState | null = null;

  function refill(task: Task, vma: Vma, page: PageId, isWrite: boolean): FaultState {
    const f = (state ??= new FaultState(task, vma));
    f.task = task;
    f.vma = vma;
    f.page = page;
    f.offset = spaces.offsetIn(vma, page);
    f.isWrite = isWrite;
    f.waits = 0;
    return f;
  }

  /** The copy is allocated before the page it is made from is looked for. Kernel: do_cow_fault(), mm/memory.c, 6.x. */
  function doCowFault(f: FaultState): Outcome {
    f.copy = cow.newCopy(f);
    if (f.copy === NO_PFN) return OOM;
    const outcome = f.vma.file?.isShmem === true ? shmem.doShmemPage(f) : file.doNoPage(f);
    if (f.copy !== NO_PFN) lru.put(f.copy); // it was not needed
    f.copy = NO_PFN;
    return outcome;
  }

  /** An entry that holds nothing. */
  function fill(f: FaultState): Outcome {
    if (f.vma.file !== null) return fillFromFile(f);
    if (hugeFault !== null && tables.block[f.page >> 9] === BLOCK_EMPTY) {
      const filled = hugeFault.fill(f);
      if (filled !== FALLBACK) return filled;
      tables.block[f.page >> 9] = BLOCK_SMALL;
    }
    return anon.doAnonymousPage(f);
  }

  function fillFromFile(f: FaultState): Outcome {
    const isCopy = f.isWrite && !f.vma.isShared && copyOrder.copyFirst;
    const outcome = isCopy ? doCowFault(f) : f.vma.file?.isShmem === true ? shmem.doShmemPage(f) : file.doNoPage(f);
    const isSmall = hugeFault !== null && tables.block[f.page >> 9] === BLOCK_EMPTY && !tables.isNone(f.page);
    if (isSmall) tables.block[f.page >> 9] = BLOCK_SMALL;
    return outcome;
  }

  /** Tells the kinds of fault apart by what the entry holds. */
  function dispatch(f: FaultState): Outcome {
    if (tables.isNone(f.page)) return fill(f);
    if (tables.isSwap(f.page) || tables.isMigration(f.page)) return swapFault.doSwapPage(f);
    if (tables.isDevice(f.page)) return device.doDevicePage(f);
    if (doNumaPage !== null && (tables.bits[f.page] & PTE_HINT) !== 0) return doNumaPage(f);
    if (f.isWrite && (tables.bits[f.page] & PTE_WRITE) === 0) {
      const written = hugeFault !== null && tables.isWhole(f.page) ? hugeFault.write(f) : FALLBACK;
      if (written !== FALLBACK) return written;
      return tables.isNone(f.page) ? fill(f) : cow.doWpPage(f); // none: it showed a huge page of an object
    }
    tables.bits[f.page] |= PTE_YOUNG | (f.isWrite ? PTE_DIRTY : 0); // somebody else has served it
    return MINOR;
  }

  /** K-A9. Kernel: mm_account_fault() */
  function isMajor(f: FaultState, outcome: Outcome): boolean {
    if (f.waits === 0) return outcome === MAJOR;
    if (f.task.faults === POPULATE_FAULTS) return false;
    return outcome === MAJOR || faultRetry.markIsMajor || f.task.faults === CALL_FAULTS;
  }

  function account(f: FaultState, outcome: Outcome): void {
    if (isMajor(f, outcome)) f.task.majorFaults++;
    else f.task.minorFaults++;
    if (f.waits === 0) return;
    counters.add(C.vm_fault_retry, f.waits);
    if (faultRetry.countsEach) counters.add(C.pgfault, f.waits);
  }

  return (task, page, isWrite) => {
    if (block.inFlight > 0) block.completeDue();
    if (tracer !== null) {
      tracer.who(task.id, task.cpu, tables.vpnOf(page));
      tracer.enter('fault', isWrite ? 1 : 0);
    }
    const outcome = serve(task, page, isWrite);
    if (tracer !== null) {
      tracer.who(task.id, task.cpu, tables.vpnOf(page));
      tracer.leave('fault', outcome);
    }
    return outcome;
  };

  function serve(task: Task, page: PageId, isWrite: boolean): Outcome {
    const vma = spaces.vmaOf(page);
    if (vma === null || (vma.flags & (isWrite ? VM_WRITE : VM_READ | VM_EXEC)) === 0) {
      counters.inc(C.fault_segv);
      return SIGSEGV;
    }
    counters.inc(C.pgfault);
    const f = refill(task, vma, page, isWrite);
    const outcome = dispatch(f);
    if (outcome <= MAJOR) account(f, outcome);
    if (served !== null && outcome <= MAJOR) served(f);
    if (outcome === MAJOR) counters.inc(C.pgmajfault);
    else if (outcome === SIGBUS) counters.inc(C.fault_sigbus);
    else if (outcome === OOM) counters.inc(C.fault_oom);
    return outcome;
  }
}

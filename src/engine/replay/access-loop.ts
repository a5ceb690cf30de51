import { float64s, uint32s, uint8s } from '../../arrays.js';
import { bugOn } from '../../errors.js';
import { isFatal, SIGSEGV } from '../../fault/index.js';
import { VM_WRITE, type Task } from '../../mm/index.js';
import { C } from '../../stats/index.js';
import { BATCH_ROWS, OP_WRITE, type TraceBatch } from '../../trace/index.js';
import type { CpuId, NodeId, PageId, Pfn } from '../../units.js';
import type { Machine } from '../machine.js';
import { AHEAD, makeReadAhead } from './read-ahead.js';
import type { Tally } from './tally.js';
import type { TraceMemory } from './trace-memory.js';

/** Rows that go through in one go while few miss. */
const FAR = 8 * AHEAD;
/** From this share of rows that missed the TLB in the last stretch it pays to load what the next rows need. */
const MANY = 1 / 4;

export interface AccessLoopParts {
  readonly machine: Machine;
  readonly memory: Pick<TraceMemory, 'resolve' | 'filePage'>;
  readonly tally: Tally;
}

export interface AccessLoop {
  /** The rows that `run` speaks of from now on, at most `BATCH_ROWS`. */
  load(batch: TraceBatch): void;
  /**
   * Rows of one quantum of one thread: look up, charge by distance, serve faults. The loop that runs for every row.
   *
   * @param from @param until rows of the batch, by their place in it
   * @param ids page ids of the thread's process, by trace page
   * The thread's clock is the meter's, before and afterwards: handed over and back it would be a heap number, per quantum.
   * `failedRow` is not -1 if a row could not be completed.
   */
  run(from: number, until: number, task: Task, process: number, ids: Int32Array): void;
  /** Row at which an access failed, or -1; the page's id (not above 0: a call); and the fatal outcome. */
  failedRow(): number;
  failedPage(): number;
  failure(): number;
}

/** Levels of a page-table walk; each counts the same. */
const WALK_LEVELS = 4;

export function makeAccessLoop({ machine, memory, tally }: AccessLoopParts): AccessLoop {
  const { mmu, tlb, frames, spaces, cost, meter, counters, zeroPage, file, access, serveFaults } = machine;
  const { translate } = mmu;
  const { accesses, misses, sums, nodeCount } = tally;
  const { walkNs } = cost;
  const { clock } = meter; // the thread's: faults add to it too
  const readAhead = makeReadAhead(machine);
  const { values } = counters;
  // Captured like the parts: outside a bundle, what another module exports is loaded anew at each use.
  const { tlb_miss: TLB_MISS, tlb_miss_huge: HUGE_MISS, mof_migrate_done: MOVES } = C;
  const WRITE = OP_WRITE;
  const spent = float64s(1);
  // The loop's own columns, always the same ones, so that where they lie is part of the code.
  const pages = uint32s(BATCH_ROWS);
  const ops = uint8s(BATCH_ROWS);
  const counts = uint32s(BATCH_ROWS);
  const missCounts = uint32s(BATCH_ROWS);
  let firstRow = 0;
  let hasMissed = false;
  let hasMoved = false;
  let failedRow = -1;
  let failedPage = 0;
  let failure = 0;

  /** A page that is a call's: no mapping covers it, or it is written where it is mapped read-only. */
  function call(task: Task, page: number, isWrite: boolean): Pfn {
    const target = memory.filePage(page);
    if (target === null) return -SIGSEGV as Pfn;
    const outcome = file.access(task, target.file, target.index, isWrite);
    return isFatal(outcome) ? (-outcome as Pfn) : file.lastPage();
  }

  /** Off the fast path: the id is not known yet, or there is a fault. */
  function serve(task: Task, process: number, page: number, known: number, isWrite: boolean): Pfn {
    const id = known > 0 ? known : memory.resolve(process, page, task);
    if (id <= 0) return call(task, page, isWrite);
    if (isWrite) {
      const vma = spaces.vmaOf(id as PageId);
      if (vma !== null && vma.file !== null && (vma.flags & VM_WRITE) === 0) return call(task, page, true);
    }
    return known > 0 ? serveFaults(task, id as PageId, isWrite) : access(task, id as PageId, isWrite);
  }

  /** Accounts one row to the memory that it used. @returns how long it took, which the caller adds to the clock */
  function nsOf(cpuNode: NodeId, pfn: Pfn, count: number, miss: number): number {
    const memoryNode = frames.nodeOf(pfn);
    const pair = cpuNode * nodeCount + memoryNode;
    accesses[pair] += count;
    const ns = cost.accessNs(cpuNode, memoryNode, count - miss, miss);
    if (miss === 0) return ns;
    misses[pair] += miss;
    if (pfn === zeroPage) sums[1] += miss;
    cost.charge(cpuNode, memoryNode, miss);
    return ns;
  }

  /**
   * Rows that the TLB answers, one after the other. All that this calls becomes part of it, and the path of misses does not:
   * so the clock can stay in a register, and the registers are the loop's own.
   *
   * @returns the first row that needs more, or `until`
   */
  function hits(from: number, until: number, cpu: CpuId, cpuNode: NodeId, ids: Int32Array): number {
    const end = until | 0; // says that these are 32-bit integers, and stay so
    let i = from | 0;
    let now = clock[0];
    let sum = spent[0];
    for (; i < end; i++) {
      const id = ids[pages[i]];
      if (id <= 0) break;
      const at = tlb.find(cpu, id as PageId);
      if (at < 0) break;
      const word = tlb.wordAt(at);
      if (tlb.mustWalk(word, ops[i] & WRITE)) break;
      const ns = nsOf(cpuNode, tlb.frameIn(word), counts[i], missCounts[i]);
      now += ns;
      sum += ns;
    }
    clock[0] = now;
    spent[0] = sum;
    return i;
  }

  /** Some rows of a quantum. @returns false: a row could not be completed */
  function stretch(from: number, until: number, task: Task, process: number, ids: Int32Array): boolean {
    const { cpu, node: cpuNode } = task;
    for (let i = hits(from, until, cpu, cpuNode, ids); i < until;) {
      const page = pages[i];
      const isWrite = ops[i] === WRITE;
      const id = ids[page];
      let pfn = id > 0 ? translate(cpu, id as PageId, isWrite) : (0 as Pfn);
      if (pfn <= 0) pfn = serve(task, process, page, id, isWrite);
      if (pfn <= 0) {
        failedRow = firstRow + i;
        failedPage = ids[page];
        failure = -pfn;
        return false;
      }
      const ns = nsOf(cpuNode, pfn, counts[i], missCounts[i]);
      clock[0] += ns;
      spent[0] += ns;
      i = hits(i + 1, until, cpu, cpuNode, ids);
    }
    return true;
  }

  const load: AccessLoop['load'] = (batch) => {
    bugOn(batch.rows > BATCH_ROWS, 'batch longer than BATCH_ROWS', batch.rows);
    firstRow = batch.firstRow;
    pages.set(batch.page);
    ops.set(batch.op);
    counts.set(batch.count);
    missCounts.set(batch.miss);
  };

  const run: AccessLoop['run'] = (from, until, task, process, ids) => {
    const walksBefore = values[TLB_MISS];
    const hugeBefore = values[HUGE_MISS];
    spent[0] = 0;
    for (let start = from, end = from; start < until; start = end) {
      end = Math.min(start + (hasMissed ? AHEAD : FAR), until);
      if (hasMissed) readAhead(pages, start, end, ids, hasMoved);
      const missesBefore = values[TLB_MISS];
      const movesBefore = values[MOVES];
      if (!stretch(start, end, task, process, ids)) break;
      const many = MANY * (end - start);
      hasMissed = values[TLB_MISS] - missesBefore > many;
      hasMoved = values[MOVES] - movesBefore > many;
    }
    const savedLevels = (values[HUGE_MISS] - hugeBefore) / WALK_LEVELS; // HP-75: one level less for a whole block
    const walks = (values[TLB_MISS] - walksBefore - savedLevels) * walkNs;
    sums[0] += spent[0] + walks;
    clock[0] += walks;
  };

  return { load, run, failedRow: () => failedRow, failedPage: () => failedPage, failure: () => failure };
}

import { MPOL_MF_LAZY, MPOL_MF_MOVE, MPOL_MF_MOVE_ALL } from '../../../src/engine/syscalls/mempolicy.js';
import { VM_EXEC, VM_LOCKED, VM_READ, VM_WRITE } from '../../../src/mm/index.js';
import { PAGE_BYTES, type NodeId } from '../../../src/units.js';
import { onRange, rangeOf, type Operation, type RangeCall, type Range } from './operation.js';
import type { ProgramState } from './program-state.js';
import { ANONYMOUS, type ProcessShadow } from './shadow.js';

/** Bits that a node mask argument may have here. */
const MAXNODE = 65;

/** What a call did, seen from the counters: some calls find that everything is where it should be. */
function moved(state: ProgramState, call: () => void): boolean {
  const { counters } = state.machine;
  const before = counters.get('pgmigrate_success') + counters.get('pgmigrate_fail');
  const done = counters.get('pgmigrate_success');
  call();
  state.coverage.event('moved by a call', counters.get('pgmigrate_success') - done);
  return counters.get('pgmigrate_success') + counters.get('pgmigrate_fail') > before;
}

const bindAndMove: RangeCall = (state, process, task, [at, pages], choice) => {
  const mode = [1, 2, 3][choice % 3];
  const nodes = state.nodesAt(choice >>> 2);
  const mask = mode === 1 ? nodes.slice(0, 1) : nodes;
  const flags = choice % 5 === 0 ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;
  const start = BigInt(process.base + at) * BigInt(PAGE_BYTES);
  const length = BigInt(pages * PAGE_BYTES);
  return moved(state, () => {
    state.calls.policy.mbind(task, start, length, mode, mask, MAXNODE, flags);
  });
};

const movePages: RangeCall = (state, process, task, [at, pages], choice) => {
  const nodes = state.nodesAt(choice);
  const vpns = Array.from({ length: pages }, (_, i) => process.base + at + i);
  const targets = vpns.map((_, i): NodeId => nodes[choice % 2 === 0 ? 0 : i % nodes.length]);
  const flags = choice % 4 === 0 ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;
  return moved(state, () => {
    state.calls.pages.movePages(task, task, vpns, targets, flags, []);
  });
};

/** mbind with LAZY, or MPOL_NOOP: only unmaps, and what the threads then touch follows them. */
const bindLazily: RangeCall = (state, process, task, [at, pages], choice) => {
  const isNoop = choice % 3 === 0;
  const nodes = isNoop ? [] : state.nodesAt(choice >>> 2);
  const mode = isNoop ? state.machine.rules.modes.max : 2 + (choice % 2);
  const start = BigInt(process.base + at) * BigInt(PAGE_BYTES);
  const before = state.machine.counters.get('mof_pages_unmapped');
  const flags = MPOL_MF_MOVE | MPOL_MF_LAZY;
  state.calls.policy.mbind(task, start, BigInt(pages * PAGE_BYTES), mode, nodes, MAXNODE, flags);
  const unmapped = state.machine.counters.get('mof_pages_unmapped') - before;
  state.coverage.event('lazily unmapped page', unmapped);
  return unmapped > 0;
};

/** Mapped pages of the range from its start, up to the first hole: what mprotect and mlock reach. */
function reach(process: ProcessShadow, [at, pages]: Range): Range {
  let end = at;
  while (end < at + pages && process.isMapped(end)) end++;
  return [at, end - at];
}

function setFlags(process: ProcessShadow, [at, pages]: Range, clear: number, set: number): boolean {
  for (let i = at; i < at + pages; i++) process.flags[i] = (process.flags[i] & ~clear) | set;
  return pages > 0;
}

const protect: RangeCall = (state, process, task, range, choice) => {
  const flags = choice % 2 === 0 ? VM_READ | VM_WRITE : VM_READ;
  state.calls.areas.mprotect(task, process.base + range[0], range[1], flags);
  return setFlags(process, reach(process, range), VM_READ | VM_WRITE | VM_EXEC, flags);
};

const lock: RangeCall = (state, process, task, range, choice) => {
  const locks = choice % 3 === 0;
  state.calls.areas.mlock(task, process.base + range[0], range[1], locks);
  if (locks) state.shadow.adoptCopies(process, range[0], range[1]);
  return setFlags(process, reach(process, range), VM_LOCKED, locks ? VM_LOCKED : 0);
};

/** Moves the part of one area that lies in the range to where it does not overlap it. */
const remap: RangeCall = (state, process, task, [at], choice) => {
  const area = process.space.find(process.base + at);
  if (area === null) return false;
  const [to, room] = rangeOf(choice, choice >>> 8);
  const pages = Math.min(room, area.end - process.base - at);
  if (Math.abs(to - at) < pages) return false;
  state.calls.areas.mremap(task, process.base + at, pages, pages, process.base + to);
  process.moveTo(at, pages, to);
  return true;
};

const advise =
  (advice: string): RangeCall =>
  (state, process, task, [at, pages]) => {
    state.calls.advice.madvise(task, process.base + at, pages, advice);
    return true;
  };

/** Pages of shared objects go, for everybody who maps them; area by area, until one that does not take the advice. */
const remove: RangeCall = (state, process, task, range) => {
  const [at, pages] = reach(process, range);
  const area = process.space.find(process.base + at);
  if (pages === 0 || area === null || process.object[at] === ANONYMOUS || !area.isShared || area.isLocked) return false;
  const count = Math.min(pages, area.end - process.base - at);
  state.calls.advice.madvise(task, process.base + at, count, 'remove');
  const { values } = state.shadow.objects[process.object[at] - 2];
  values.fill(0, process.filePage[at], process.filePage[at] + count);
  return true;
};

/** Private pages that are the process's own may be gone from now on, until they are written again. */
const free: RangeCall = (state, process, task, [at, pages]) => {
  state.calls.advice.madvise(task, process.base + at, pages, 'free');
  for (let i = at; i < at + pages; i++) {
    if (process.object[i] !== ANONYMOUS) {
      if (process.isMapped(i)) break; // -EINVAL at the first area of a file
    } else if ((process.flags[i] & VM_LOCKED) !== 0) break;
    else if (process.isOwn[i] !== 0) process.isGivenUp[i] = 1;
  }
  return true;
};

/** System calls beside mapping and placing: what moves, protects, locks and drops pages directly. */
export const CALLS: readonly Operation[] = [
  onRange('bind a range and move its pages', 12, bindAndMove),
  onRange('bind a range lazily', 10, bindLazily),
  onRange('move pages to nodes', 8, movePages),
  {
    name: 'migrate a process',
    weight: 5,
    run(state, [a, b, c, d]) {
      const [process, other] = [state.processAt(a), state.processAt(b)];
      if (process === null || other === null) return false;
      const [task, target] = [state.taskAt(process, c), state.taskAt(other, c >>> 8)];
      state.log.task = task;
      return moved(state, () => {
        const [from, to] = [state.nodesAt(d), state.nodesAt(d >>> 8)];
        state.calls.pages.migratePages(task, target, from, to, MAXNODE);
      });
    },
  },
  onRange('protect a range', 4, protect),
  onRange('lock or unlock a range', 3, lock),
  onRange('move an area', 4, remap),
  onRange('advise: out', 4, advise('pageout')),
  onRange('advise: will be needed', 4, advise('willneed')),
  onRange('advise: populate', 2, advise('populate_read')),
  onRange('advise: remove', 5, remove),
  onRange('advise: free', 4, free),
];

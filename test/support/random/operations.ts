import { HOTPLUG } from './hotplug-operations.js';
import {
  PG_PRIVATE,
  VM_EXEC,
  VM_LOCKED,
  VM_RAND_READ,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  type Mempolicy,
} from '../../../src/mm/index.js';
import { PIN_REFERENCES } from '../../../src/reclaim/index.js';
import { NO_PFN, type Pfn } from '../../../src/units.js';
import { CALLS } from './call-operations.js';
import { DEVICE_OPERATIONS } from './device-operations.js';
import { SURROUNDINGS } from './surrounding-operations.js';
import { holdsSomething, rangeOf, type Choices, type Operation } from './operation.js';
import { MAX_PROCESSES, MAX_THREADS, type ProgramState } from './program-state.js';
import { ANONYMOUS, type ProcessShadow, WINDOW } from './shadow.js';

const MAX_PINS = 12;

const areaFlags = (choice: number): number =>
  VM_READ |
  (choice % 10 === 0 ? 0 : VM_WRITE) |
  ((choice >>> 4) % 32 === 0 ? VM_LOCKED : 0) |
  ((choice >>> 9) % 8 === 0 ? VM_RAND_READ : 0) |
  ((choice >>> 12) % 10 === 0 ? VM_EXEC : 0);

/** Maps private memory (`object` null) or an object, from one of its pages on and perhaps beyond its end. */
function map(state: ProgramState, object: number | null, isShared: boolean, [a, b, c, d]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const [at, wanted] = rangeOf(b, c);
  const flags = areaFlags(d) | (isShared ? VM_SHARED : 0);
  const file = object === null ? null : state.shadow.objects[object].file;
  const filePage = file === null ? 0 : (d >>> 20) % file.sizePages;
  const pages = file === null ? wanted : Math.min(wanted, file.sizePages - filePage + (c % 8 === 0 ? 2 : 0));
  const task = state.taskAt(process, b);
  state.machine.memory.mmap(process.space, process.base + at, pages, { flags, file, filePage }, task.cpu);
  process.map(at, pages, object === null ? ANONYMOUS : object + 2, filePage, flags);
  return true;
}

const mapping = (name: string, weight: number, objects: readonly number[] | null, isShared: boolean): Operation => ({
  name,
  weight,
  run: (state, choices) => map(state, objects?.[(choices[3] >>> 16) % objects.length] ?? null, isShared, choices),
});

const access = (name: string, weight: number, isWrite: boolean): Operation => ({
  name,
  weight,
  run(state, [a, b, c]) {
    const process = state.processAt(a);
    if (process === null) return false;
    const at = c % 20 === 0 ? b % WINDOW : state.mappedFrom(process, b % WINDOW);
    if (!state.touch(process, state.taskAt(process, c >>> 8), at, isWrite)) state.killForMemory();
    return true;
  },
});

const fileCall = (name: string, weight: number, isWrite: boolean): Operation => ({
  name,
  weight,
  run(state, [a, b, c]) {
    const process = state.processAt(a);
    if (process === null) return false;
    const object = state.shadow.objects[b % 3];
    const task = state.taskAt(process, b >>> 8);
    const first = c % (object.values.length + 1);
    for (let i = 0; i <= (c >>> 16) % 9 && first + i <= object.values.length; i++) {
      if (state.callFile(object, first + i, task, isWrite)) continue;
      state.killForMemory();
      break;
    }
    return true;
  },
});

/** A policy for a task: one of three modes over some nodes. The caller gives its reference back. */
function policyOf(state: ProgramState, process: ProcessShadow, task: number, choice: number): Mempolicy {
  const definition = state.policies[choice % state.policies.length];
  const flag = ([null, null, 'static', 'relative'] as const)[(choice >>> 4) % 4];
  const nodes = definition.nodes === 'optional' && (choice >>> 6) % 4 === 0 ? [] : state.nodesAt(choice >>> 8);
  const single = definition.nodes === 'optional' ? nodes.slice(0, 1) : nodes;
  return state.machine.policy.newPolicy(state.taskAt(process, task), { definition, nodes: single, flag, options: {} });
}

function setTaskPolicy(state: ProgramState, [a, b, c]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const task = state.taskAt(process, b);
  if (c % 4 === 0) {
    if (task.policy === null) return false;
    state.machine.policy.setMempolicy(task, null);
    return true;
  }
  const policy = policyOf(state, process, b, c >>> 2);
  state.machine.policy.setMempolicy(task, policy);
  policy.refs--;
  return true;
}

function bindRange(state: ProgramState, [a, b, c, d]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const range = rangeOf(b, c);
  if (!holdsSomething(process, range)) return false;
  const policy = d % 4 === 0 ? null : policyOf(state, process, b, d >>> 2);
  state.machine.policy.mbind(process.space, process.base + range[0], range[1], policy);
  if (policy !== null) policy.refs--;
  return true;
}

function unmapLazily(state: ProgramState, process: ProcessShadow, at: number | null, choice: number): boolean {
  const task = state.taskAt(process, choice);
  const found = at === null ? null : process.space.find(process.base + at);
  const areas = at === null ? [...process.space.vmas] : found === null ? [] : [found];
  if (areas.length === 0) return false;
  const policy = (choice >>> 8) % 3 === 0 ? policyOf(state, process, choice, choice >>> 10) : null;
  state.log.task = task;
  const { unmapped, looked } = state.machine.policy.unmapLazily(task, areas, policy);
  state.coverage.event('lazily unmapped page', unmapped);
  return looked > 0;
}

/** A frame that holds a page of the process or of an object, or 0. */
function someFrame(state: ProgramState, [a, b, c]: Choices): Pfn {
  if (a % 3 === 0) {
    const { residence } = state.shadow.objects[b % state.shadow.objects.length];
    return residence[c % residence.length] as Pfn;
  }
  const process = state.processAt(b);
  return (process === null ? 0 : process.residence[c % WINDOW]) as Pfn;
}

function swapOutPage(state: ProgramState, choices: Choices): boolean {
  const pfn = someFrame(state, choices);
  if (pfn === NO_PFN) return false;
  const result = state.evict(pfn, state.cpuAt(choices[3]));
  state.coverage.event(`page out: ${result}`);
  return result !== 'not';
}

function swapOutProcess(state: ProgramState, [a, b]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const cpu = state.cpuAt(b);
  state.machine.lru.drainAll();
  let pages = 0;
  for (let at = 0; at < WINDOW; at++) {
    const pfn = process.residence[at] as Pfn;
    // A frame may have gone, and even come back as another page, while its predecessors went out.
    if (pfn === NO_PFN || !state.machine.frames.isAnon(pfn)) continue;
    if (state.evict(pfn, cpu) !== 'not') pages++;
  }
  return pages > 0;
}

function pin(state: ProgramState, choices: Choices): boolean {
  const [a, b, c] = choices;
  let pfn = someFrame(state, choices);
  // Rather one that no entry maps, so that the next fault finds a page with an unknown user (M5a).
  for (let i = 1; i < 6 && (pfn === NO_PFN || state.machine.frames.mapcount(pfn) > 0); i++) {
    pfn = someFrame(state, [a + i, b, c + i, 0]);
  }
  if (pfn === NO_PFN || state.pins.size >= MAX_PINS || state.pins.has(pfn)) return false;
  const references = choices[3] % 4 === 0 ? PIN_REFERENCES : 1;
  for (let i = 0; i < references; i++) state.machine.frames.get(pfn);
  state.pins.set(pfn, references);
  return true;
}

function unpin(state: ProgramState, [a]: Choices): boolean {
  if (state.pins.size === 0) return false;
  const [pfn, references] = [...state.pins][a % state.pins.size];
  state.pins.delete(pfn);
  for (let i = 0; i < references; i++) state.machine.lru.put(pfn);
  return true;
}

function attachBuffers(state: ProgramState, [a]: Choices): boolean {
  const object = state.shadow.objects[1];
  const pfn = object.residence[a % object.residence.length] as Pfn;
  const { frames } = state.machine;
  if (pfn === NO_PFN || frames.has(pfn, PG_PRIVATE) || frames.isWriteback(pfn)) return false;
  frames.set(pfn, PG_PRIVATE);
  frames.get(pfn);
  return true;
}

function fork(state: ProgramState, [a, b, c]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null || state.shadow.processes.length >= MAX_PROCESSES || state.threadCount() >= MAX_THREADS)
    return false;
  const child = state.adopt(state.machine.process.fork(state.taskAt(process, b), state.cpuAt(c)), process.base);
  process.copyTo(child);
  return true;
}

/** Many accesses of one thread in a row: what fills a machine. */
function sweep(state: ProgramState, [a, b, c]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const task = state.taskAt(process, c >>> 8);
  let at = state.mappedFrom(process, b % WINDOW);
  for (let i = 0; i < 4 + (c % 25) && process.isMapped(at); i++, at = (at + 1) % WINDOW) {
    if (state.touch(process, task, at, ((c >>> 4) & 1) !== 0)) continue;
    state.killForMemory();
    return true;
  }
  return true;
}

/** Every operation; kinds of one family stand together. */
export const OPERATIONS: readonly Operation[] = [
  ...CALLS,
  ...SURROUNDINGS,
  ...DEVICE_OPERATIONS,
  {
    name: 'new process',
    weight: 4,
    run(state, [a, b, c]) {
      if (state.shadow.processes.length >= MAX_PROCESSES || state.threadCount() >= MAX_THREADS) return false;
      state.start(state.cpuAt(a), b, c % 3 === 0 ? 'half' : '/');
      return true;
    },
  },
  {
    name: 'new thread',
    weight: 4,
    run(state, [a, b]) {
      const process = state.processAt(a);
      if (process === null || state.threadCount() >= MAX_THREADS) return false;
      process.tasks.push(state.machine.process.newThread(state.taskAt(process, b), state.cpuAt(b >>> 8)));
      return true;
    },
  },
  {
    name: 'move task',
    weight: 14,
    run(state, [a, b, c]) {
      const process = state.processAt(a);
      if (process === null) return false;
      state.machine.process.moveTask(state.taskAt(process, b), state.cpuAt(c));
      return true;
    },
  },
  {
    name: 'thread ends',
    weight: 2,
    run(state, [a, b]) {
      const process = state.processAt(a);
      if (process === null) return false;
      state.endThread(process, state.taskAt(process, b));
      return true;
    },
  },
  {
    name: 'process ends',
    weight: 1,
    run(state, [a]) {
      const process = state.processAt(a);
      if (process === null) return false;
      state.endProcess(process);
      return true;
    },
  },
  { name: 'fork', weight: 6, run: fork },
  mapping('map private memory', 12, null, false),
  mapping('map a file, private', 4, [0, 1, 2], false),
  mapping('map a file, shared', 11, [0, 1, 2], true),
  mapping('map shmem, private', 3, [3, 4], false),
  mapping('map shmem, shared', 7, [3, 4], true),
  {
    name: 'unmap',
    weight: 5,
    run(state, [a, b, c, d]) {
      const process = state.processAt(a);
      if (process === null) return false;
      const range = rangeOf(b, c);
      if (!holdsSomething(process, range)) return false;
      const cpu = state.taskAt(process, d).cpu;
      state.machine.memory.munmap(process.space, process.base + range[0], range[1], cpu);
      process.unmap(...range);
      return true;
    },
  },
  {
    name: 'discard',
    weight: 5,
    run(state, [a, b, c, d]) {
      const process = state.processAt(a);
      if (process === null) return false;
      const range = rangeOf(b, c);
      if (!holdsSomething(process, range)) return false;
      const cpu = state.taskAt(process, d).cpu;
      state.machine.memory.discard(process.space, process.base + range[0], range[1], cpu);
      process.discard(...range);
      return true;
    },
  },
  access('read', 50, false),
  access('write', 50, true),
  { name: 'sweep', weight: 26, run: sweep },
  fileCall('file call, read', 14, false),
  fileCall('file call, write', 12, true),
  {
    name: 'unmap a process lazily',
    weight: 12,
    run(state, [a, b]) {
      const process = state.processAt(a);
      return process !== null && unmapLazily(state, process, null, b);
    },
  },
  {
    name: 'unmap an area lazily',
    weight: 16,
    run(state, [a, b, c]) {
      const process = state.processAt(a);
      return process !== null && unmapLazily(state, process, state.mappedFrom(process, c % WINDOW), b);
    },
  },
  { name: 'swap out a page', weight: 16, run: swapOutPage },
  { name: 'swap out a process', weight: 3, run: swapOutProcess },
  { name: 'set a task policy', weight: 6, run: setTaskPolicy },
  { name: 'set the policy of a range', weight: 10, run: bindRange },
  {
    name: 'drain a vector',
    weight: 6,
    run(state, [a]) {
      state.machine.lru.drain(state.cpuAt(a));
      return true;
    },
  },
  {
    name: 'drain all vectors',
    weight: 6,
    run(state) {
      state.machine.lru.drainAll();
      return true;
    },
  },
  { name: 'pin', weight: 18, run: pin },
  { name: 'unpin', weight: 5, run: unpin },
  { name: 'attach buffers', weight: 3, run: attachBuffers },
  {
    name: 'time passes',
    weight: 8,
    run(state, [a]) {
      state.machine.meter.nowNs += a % 200_000;
      const before = state.machine.block.inFlight;
      state.machine.block.completeDue();
      state.coverage.event('write ended', before - state.machine.block.inFlight);
      return true;
    },
  },
  {
    name: 'wait for all writes',
    weight: 4,
    run(state) {
      if (state.machine.block.inFlight === 0) return false;
      state.machine.block.completeAll();
      return true;
    },
  },
  {
    name: 'wake a background reclaimer',
    weight: 5,
    run(state, [a, b]) {
      const [node] = state.nodesAt(a);
      const before = state.machine.counters.get('pageoutrun');
      state.machine.reclaim.wakeKswapd(node, state.cpuAt(b));
      return state.machine.counters.get('pageoutrun') > before;
    },
  },
  ...HOTPLUG,
];

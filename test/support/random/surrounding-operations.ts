import { PAGE_BYTES } from '../../../src/units.js';
import type { Choices, Operation } from './operation.js';
import type { ProgramState } from './program-state.js';

/** Pages that an object has at most after it grew. */
const LARGEST_OBJECT = 24;

function truncate(state: ProgramState, [a, b, c, d]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const object = state.shadow.objects[b % state.shadow.objects.length];
  const before = object.values.length;
  // Mostly a little shorter or longer, so that something is left to be cut again.
  const pages = c % 8 === 0 ? 1 + (d % LARGEST_OBJECT) : Math.min(LARGEST_OBJECT, Math.max(1, before - 2 + (d % 5)));
  if (pages === before) return false;
  const task = state.taskAt(process, b >>> 8);
  state.log.task = task;
  const partly = (d >>> 8) % 4 === 0 ? 1 : 0;
  state.calls.file.truncate(task, object.file, pages * PAGE_BYTES - partly);
  state.shadow.resize(object, pages);
  return true;
}

/** Everything comes back in, or as much as there is room for; then swap is on again. */
function swapOffAndOn(state: ProgramState): boolean {
  const { machine, calls, log, coverage } = state;
  const slots = machine.swap.slots;
  if (!machine.swap.isUsed) return false;
  const done = log.inNobodysName(() => calls.swap.swapoff()); // a process of its own does it, on CPU 0
  coverage.event(done === 0 ? 'swap went off' : 'swap stayed on: no room');
  calls.swap.swapon(slots);
  return true;
}

/** A process and its pages go into one of the control groups, whose nodes then change under it. */
function attach(state: ProgramState, [a, b, c]: Choices): boolean {
  const process = state.processAt(a);
  if (process === null) return false;
  const task = state.taskAt(process, b);
  state.log.task = task;
  return state.calls.cpusets.attach(['/', 'half', 'moving', 'staying'][c % 4], task) === 0;
}

function changeGroup(state: ProgramState, [a, b]: Choices): boolean {
  const name = ['half', 'moving', 'staying'][a % 3];
  return state.log.inNobodysName(() => state.calls.cpusets.setMems(name, state.nodesAt(b))) === 0;
}

/** What happens to processes from outside: files are cut, swap goes off, control groups change. */
export const SURROUNDINGS: readonly Operation[] = [
  { name: 'cut or extend an object', weight: 5, run: truncate },
  { name: 'turn swap off and on', weight: 2, run: swapOffAndOn },
  { name: 'attach to a control group', weight: 4, run: attach },
  { name: 'change the nodes of a control group', weight: 3, run: changeGroup },
];

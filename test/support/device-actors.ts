import { checkMachine, type DeviceMove, type Machine, type ModelDriver } from '../../src/engine/index.js';
import { MIGRATE_VMA_DONE, MIGRATE_VMA_PAGES, MIGRATE_VMA_WAIT } from '../../src/migrate/index.js';
import { TRY_LOCK } from '../../src/migrate/device/migrate-vma-collect.js';
import { SETTLE } from '../../src/migrate/device/migrate-vma.js';
import type { Task } from '../../src/mm/index.js';
import { processWithPages } from './arrange.js';
import { deviceMachine, wordAt, type Form } from './device.js';
import { everySchedule, type Actor, type Play } from './schedules.js';
import { frameAt } from './tiny-machine.js';

/** Moves of a driver as actors of a schedule. */

/** Steps of one move, up to but without `until`. */
export interface Leg {
  readonly driver: ModelDriver;
  readonly move: DeviceMove;
  readonly until?: number;
}

/** Steps before which an actor's turn ends; without them each step is a turn. */
const COARSE: ReadonlySet<number> = new Set([TRY_LOCK, SETTLE]);

/** All steps of one move. */
export const oneMove = (driver: ModelDriver, move: DeviceMove): readonly Leg[] => [{ driver, move }];

/** A mistake to be planted: whether an actor sleeps before the step that comes next. */
export type Sleeps = (machine: Machine, move: DeviceMove) => boolean;

/** An actor that takes the steps of some legs, one after the other. */
export function moveActor(
  machine: Machine,
  legs: readonly Leg[],
  cuts: ReadonlySet<number> | null = null,
  sleeps: Sleeps = () => false,
): Actor {
  let current = 0;
  return {
    step() {
      for (let steps = 0; ; steps++) {
        const { driver, move, until = MIGRATE_VMA_DONE } = legs[current];
        if (steps > 0 && (cuts === null || cuts.has(move.next))) return 'went';
        if (sleeps(machine, move)) return steps > 0 ? 'went' : 'waits';
        const next = driver.step(move, move.next);
        if (next === MIGRATE_VMA_WAIT) {
          mustWaitForTables(machine);
          return steps > 0 ? 'went' : 'waits';
        }
        move.next = next;
        if (next !== until && next !== MIGRATE_VMA_DONE) continue;
        return ++current === legs.length ? 'ended' : 'went';
      }
    },
  };
}

/** nobody sleeps on a page lock. What is waited for is the lock of page tables, whose holder never waits. */
function mustWaitForTables(machine: Machine): void {
  if (machine.spaces.all().some((space) => space.tablesHeld)) return;
  throw new Error('a migration waits, and no page table is held');
}

const START = 1000;

/** Two tasks that share two pages, at the start of moves in opposite order: A takes both, B the second and then the first. */
export interface Opposite {
  readonly machine: Machine;
  readonly actors: readonly Actor[];
  /** Every invariant, both tasks see the same pages with what they held. @returns who moved each: `AB`, `A-` … */
  end(): string;
}

export function beginOpposite(form: Form, cuts: ReadonlySet<number> | null = COARSE, sleeps?: Sleeps): Opposite {
  const { machine, gpu, nic } = deviceMachine(form);
  const { task } = processWithPages(machine, 0, START, 2);
  const child = machine.process.fork(task, task.cpu);
  [0, 1].forEach((i) => machine.contents?.set(frameAt(machine, task, START + i), 50 + i));
  const a = gpu.begin(task, START, 2, true);
  const [second, first] = [1, 0].map((i) => nic.begin(child, START + i, 1, true));
  const legs = [
    { driver: nic, move: second, until: MIGRATE_VMA_PAGES },
    { driver: nic, move: first },
    { driver: nic, move: second },
  ];
  return {
    machine,
    actors: [moveActor(machine, oneMove(gpu, a), cuts, sleeps), moveActor(machine, legs, cuts, sleeps)],
    end() {
      const who = [0, 1].map((i) => whoHas(machine, [task, child], START + i, 50 + i));
      const moved = [a.moved, first.moved + second.moved];
      const seen = ['A', 'B'].map((actor) => who.filter((one) => one === actor).length);
      if (String(moved) !== String(seen)) throw new Error(`moved ${String(moved)}, seen ${String(seen)}`);
      checkMachine(machine);
      return who.join('');
    },
  };
}

function whoHas(machine: Machine, tasks: readonly Task[], vpn: number, stamp: number): string {
  const [pfn, other] = tasks.map((task) => wordAt(machine, task, vpn));
  if (pfn !== other) throw new Error(`two tasks see two pages at ${String(vpn)}`);
  if (machine.contents?.get(pfn) !== stamp) throw new Error(`the contents are lost at ${String(vpn)}`);
  if (!machine.frames.isDevice(pfn)) return '-';
  return machine.devices.poolOf(pfn).name === 'gpu' ? 'A' : 'B';
}

/** Plays all schedules of the two; @returns how many there are, and how the pages were shared out in any of them */
export function oppositeOrders(form: Form): { schedules: number; outcomes: string[] } {
  const outcomes = new Set<string>();
  const begin = (): Play => {
    const { actors, end } = beginOpposite(form);
    return { actors, end: () => outcomes.add(end()) };
  };
  const schedules = everySchedule(begin).length;
  return { schedules, outcomes: [...outcomes].sort() };
}

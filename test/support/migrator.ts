import type { Machine } from '../../src/engine/index.js';
import {
  makeMigratePages,
  MIGRATE_DONE,
  MIGRATE_WAIT,
  type MigratePagesSteps,
  type MigrateState,
} from '../../src/migrate/index.js';
import { MARK_MIN } from '../../src/mm/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import type { Actor } from './schedules.js';

/** Takes frames of one node, as the system calls that move pages there do. */
export const onNode = (machine: Machine, node: number) => (): Pfn =>
  machine.zones.takeFromNode(asNodeId(node), MARK_MIN, asNodeId(node));

export function isolateAll(machine: Machine, pages: readonly Pfn[]): void {
  machine.lru.drainAll();
  for (const pfn of pages) if (!machine.lru.isolate(pfn)) throw new Error(`page ${String(pfn)} is on no list`);
}

type Step = MigratePagesSteps['step'];

/**
 * A migratePages() before its first step; the pages are isolated.
 *
 * @param cutBefore steps before which another actor may come in; null: before every one
 * @param wrap may exchange its steps for wrong ones
 */
export function migrator(
  machine: Machine,
  pages: readonly Pfn[],
  node: number,
  cutBefore: readonly number[] | null = null,
  wrap: (step: Step) => Step = (step) => step,
): { state: MigrateState; actor: Actor } {
  isolateAll(machine, pages);
  const { begin, step } = makeMigratePages(machine);
  const state = begin(pages, onNode(machine, node), machine.topology.cpusOf(asNodeId(node))[0]);
  const steps = wrap(step);
  return {
    state,
    actor: {
      step() {
        for (let isFirst = true; ; isFirst = false) {
          if (!isFirst && cutBefore?.includes(state.next) !== false) return 'went';
          const next = steps(state, state.next);
          if (next === MIGRATE_WAIT) return isFirst ? 'waits' : 'went';
          state.next = next;
          if (next === MIGRATE_DONE) return 'ended';
        }
      },
    },
  };
}

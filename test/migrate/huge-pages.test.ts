import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { BLOCK_SMALL, BLOCK_WHOLE } from '../../src/hardware/index.js';
import type { Task } from '../../src/mm/index.js';
import { asNodeId, NO_PAGE } from '../../src/units.js';
import { BIND, callsBed, INTERLEAVE, MAXNODE, mbind, MOVE, STRICT, type CallsBed } from '../support/calls.js';
import { frameAt, mapAnon, nodeAt, processOn, touchAll } from '../support/tiny-machine.js';

// Moving and breaking up huge pages (K-H9..K-H15, HP-31, HP-32, HP-60, HP-61, HP-71).

const START = 512;

interface Bed extends CallsBed {
  readonly task: Task;
}

/** A process on node 0 with huge pages from page number 512 on. @param written pages that are written, from the first; all others hold zeros */
function bed(profile: string, blocks = 1, written = 512 * blocks): Bed {
  const calls = callsBed({ nodes: 3, framesPerNode: 8192, profile, thp: {} });
  const task = processOn(calls.machine, 0);
  mapAnon(calls.machine, task, START, 512 * blocks);
  for (let block = 0; block < blocks; block++) calls.machine.touch(task, START + 512 * block, true);
  touchAll(calls.machine, task, START, written, true);
  calls.machine.lru.drainAll();
  return { ...calls, task };
}

function blockAt({ machine, task }: Bed, vpn: number): number {
  const page = machine.tables.walk(task.space.root, vpn);
  return page === NO_PAGE ? 0 : machine.tables.block[page >> 9];
}

const nodesOf = ({ machine, task }: Bed, vpn: number, pages: number): number[] => [
  ...new Set(Array.from({ length: pages }, (_, i) => nodeAt(machine, task, vpn + i))),
];

/** move_pages of one page to a node. @returns what it returned, and the status */
function moveTo({ machine, calls, task }: Bed, vpn: number, node: number): [number, number | null] {
  const status: (number | null)[] = [null];
  const ret = calls.pages.movePages(task, task, [vpn], [node], MOVE, status);
  machine.lru.drainAll();
  return [ret, status[0]];
}

describe.each(['linux-6.1', 'linux-6.12'])('%s: a huge page', (profile) => {
  it('K-H11, HP-60: moves whole for any of its pages, with one migration entry', () => {
    const b = bed(profile);
    expect(moveTo(b, START + 77, 1)).toEqual([0, 1]);
    expect(nodesOf(b, START, 512)).toEqual([1]);
    expect(blockAt(b, START)).toBe(BLOCK_WHOLE);
    expect(b.machine.counters.get('thp_migration_success')).toBe(1);
    expect(b.machine.counters.get('pgmigrate_success')).toBe(512);
    expect(b.machine.counters.get('thp_split_pmd')).toBe(0);
    checkMachine(b.machine);
  });

  it('X21, HP-61: is broken up where the target has no huge page, and its pages move singly', () => {
    const b = bed(profile);
    b.machine.zones.limitHuge(asNodeId(1), 0);
    expect(moveTo(b, START, 1)).toEqual([0, 1]);
    expect(nodesOf(b, START, 512)).toEqual([1]);
    expect(blockAt(b, START)).toBe(BLOCK_SMALL);
    expect(b.machine.frames.isHuge(frameAt(b.machine, b.task, START))).toBe(false);
    const { counters } = b.machine;
    expect(
      ['thp_migration_fail', 'thp_migration_split', 'pgmigrate_success'].map((name) => counters.get(name as never)),
    ).toEqual([...[1, 1, 512]]);
    checkMachine(b.machine);
  });

  it('K-H9: breaking it up keeps what was written; what was not becomes the zero page on 6.12', () => {
    const b = bed(profile, 1, 100);
    const free = b.machine.zones.free(asNodeId(0));
    b.calls.advice.madvise(b.task, START + 10, 10, 'cold');
    b.machine.lru.drainAll();
    const isNew = profile === 'linux-6.12';
    expect(b.task.space.rssAnon).toBe(isNew ? 100 : 512);
    expect(b.machine.zones.free(asNodeId(0)) - free).toBe(isNew ? 412 : 0);
    expect(b.machine.counters.get('thp_split_page')).toBe(1);
    checkMachine(b.machine);
  });

  it('X20, HP-31, HP-32: what munmap left unmapped is freed when the page is broken up', () => {
    const b = bed(profile);
    b.machine.memory.munmap(b.task.space, START + 100, 100, b.task.cpu);
    const free = b.machine.zones.free(asNodeId(0));
    expect(b.machine.counters.get('thp_deferred_split_page')).toBe(1);
    b.calls.advice.madvise(b.task, START + 10, 10, 'cold');
    b.machine.lru.drainAll();
    expect(b.machine.zones.free(asNodeId(0)) - free).toBe(100);
    expect(b.task.space.rssAnon).toBe(412);
    checkMachine(b.machine);
  });

  it('HP-31: stays one as long as somebody holds a reference to it', () => {
    const b = bed(profile);
    const head = frameAt(b.machine, b.task, START);
    b.machine.frames.get(head);
    b.calls.advice.madvise(b.task, START + 10, 10, 'cold');
    b.machine.lru.drainAll();
    expect(b.machine.frames.isHuge(head)).toBe(true);
    expect(b.machine.counters.get('thp_split_page_failed')).toBeGreaterThan(0);
    checkMachine(b.machine, new Map([[head, 1]]));
    b.machine.lru.put(head);
  });

  it('K-H10, K-H7: mbind(MOVE) of a part moves all of it; the border only cuts the mapping', () => {
    const b = bed(profile);
    expect(mbind(b, START + 500, 12, BIND, [2], MOVE)).toBe(0);
    expect(nodesOf(b, START, 512)).toEqual([2]);
    expect(blockAt(b, START)).toBe(BLOCK_SMALL);
    expect(b.machine.frames.isHuge(frameAt(b.machine, b.task, START))).toBe(true);
    checkMachine(b.machine);
  });

  it('K-H14: in small pieces moves whole; the second time it is broken up on 6.12', () => {
    const b = bed(profile);
    b.calls.advice.madvise(b.task, START + 100, 100, 'nohugepage');
    expect(blockAt(b, START)).toBe(BLOCK_SMALL);
    moveTo(b, START, 1);
    expect(b.machine.frames.isHuge(frameAt(b.machine, b.task, START))).toBe(true);
    moveTo(b, START, 2);
    expect(nodesOf(b, START, 512)).toEqual([2]);
    expect(b.machine.frames.isHuge(frameAt(b.machine, b.task, START))).toBe(profile === 'linux-6.1');
    checkMachine(b.machine);
  });

  it('K-H15: strict and move over several of its small pieces is EIO on 6.1, and moves it all the same', () => {
    const b = bed(profile);
    b.calls.advice.madvise(b.task, START + 100, 100, 'nohugepage');
    const ret = mbind(b, START, 50, BIND, [2], MOVE | STRICT);
    expect(ret).toBe(profile === 'linux-6.1' ? -5 : 0);
    expect(nodesOf(b, START, 512)).toEqual([2]);
  });

  it('K-H10: interleaving while moving goes by blocks', () => {
    const b = bed(profile, 4);
    expect(mbind(b, START, 2048, INTERLEAVE, [1, 2], MOVE)).toBe(0);
    expect([0, 1, 2, 3].map((block) => nodeAt(b.machine, b.task, START + 512 * block))).toEqual([2, 1, 2, 1]);
    checkMachine(b.machine);
  });

  it('K-H13: shared with a child it stays where it is', () => {
    const b = bed(profile);
    b.machine.process.fork(b.task, b.task.cpu);
    expect(mbind(b, START, 512, BIND, [2], MOVE)).toBe(0);
    expect(moveTo(b, START, 2)).toEqual([0, -13]);
    expect(nodesOf(b, START, 512)).toEqual([0]);
    checkMachine(b.machine);
  });

  it('K-H12: migrate_pages takes it along', () => {
    const b = bed(profile, 2);
    expect(b.calls.pages.migratePages(b.task, b.task, [0], [1], MAXNODE)).toBe(0);
    expect(nodesOf(b, START, 1024)).toEqual([1]);
    expect(blockAt(b, START)).toBe(BLOCK_WHOLE);
    checkMachine(b.machine);
  });
});

import { describe, expect, it } from 'vitest';
import { checkMachine, makeCalls } from '../../../src/engine/index.js';
import { EFBIG, EINVAL } from '../../../src/errors.js';
import { SIGBUS } from '../../../src/fault/index.js';
import { cachedFrame, PG_PRIVATE, type FileObject } from '../../../src/mm/index.js';
import { evict, mapPrivate, mapShared, shmemOn, startWriteback, unmapEverywhere } from '../../support/arrange.js';
import { frameAt, nodeAt, processOn, tinyMachine, touchAll, type TinyOptions } from '../../support/tiny-machine.js';

// truncate(2): what lies behind the new end goes (page-lifecycle sections 5 to 7), in straight line.

const START = 1000;
const PAGE = 4096;

function bed(kind: 'file' | 'shmem', pages: number, options: TinyOptions = {}) {
  const machine = tinyMachine(options);
  const calls = makeCalls(machine, { modes: new Map(), cgroup: 2, possibleNodes: 4 });
  const file = machine.files.create(kind, 'data', pages);
  return { machine, file, task: processOn(machine, 0), truncate: calls.file.truncate };
}

const slots = (file: FileObject, pages: number) =>
  Array.from({ length: pages }, (_, index) =>
    file.slots.get(index) > 0 ? 'cached' : file.slots.get(index) < 0 ? 'swapped' : '-',
  );

describe.each(['file', 'shmem'] as const)('a %s becomes shorter', (kind) => {
  it('section 5: its pages behind the end leave the cache and every mapping, and are free', () => {
    const { machine, file, task, truncate } = bed(kind, 4);
    const other = processOn(machine, 1);
    for (const each of [task, other]) {
      mapShared(machine, each, file, START);
      touchAll(machine, each, START, 4, true);
    }
    const gone = cachedFrame(file, 2);
    expect(truncate(task, file, 2 * PAGE)).toBe(0);
    machine.lru.drainAll();
    expect(slots(file, 4)).toEqual(['cached', 'cached', '-', '-']);
    expect(machine.frames.count(gone)).toBe(0);
    for (const each of [task, other]) {
      expect(machine.touch(each, START + 1, false)).toBeGreaterThan(0);
      expect(machine.touch(each, START + 2, false)).toBe(-SIGBUS);
    }
    checkMachine(machine);
  });

  it('the page that holds the new end stays, with what was written to it', () => {
    const { machine, file, task, truncate } = bed(kind, 3);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 3, true);
    const kept = cachedFrame(file, 1);
    machine.contents?.set(kept, 77);
    expect(truncate(task, file, PAGE + 1)).toBe(0);
    expect([file.sizePages, frameAt(machine, task, START + 1), machine.contents?.get(kept)]).toEqual([2, kept, 77]);
    expect(machine.touch(task, START + 2, true)).toBe(-SIGBUS);
    checkMachine(machine);
  });

  it('PL-30: private copies of pages behind the end go too, those in front stay', () => {
    const { machine, file, task, truncate } = bed(kind, 3);
    mapPrivate(machine, task, file, START);
    touchAll(machine, task, START, 3, true);
    const before = machine.frames.nodeOf(frameAt(machine, task, START));
    expect(truncate(task, file, PAGE)).toBe(0);
    expect([0, 1, 2].map((i) => nodeAt(machine, task, START + i))).toEqual([before, -1, -1]);
    expect(machine.touch(task, START + 1, false)).toBe(-SIGBUS);
    checkMachine(machine);
  });

  it('R-12: a page that was unmapped lazily and then truncated comes back to nobody', () => {
    const { machine, file, task, truncate } = bed(kind, 2);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 2, true);
    const pfn = cachedFrame(file, 1);
    unmapEverywhere(machine, task, pfn);
    const counted = file.truncateCount;
    expect(truncate(task, file, PAGE)).toBe(0);
    expect(file.truncateCount).toBeGreaterThan(counted);
    expect(machine.touch(task, START + 1, false)).toBe(-SIGBUS);
    expect(machine.counters.get('mof_migrate_tried')).toBe(0);
    machine.lru.drainAll();
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });

  it('grown again, the pages behind the old end are new ones', () => {
    const { machine, file, task, truncate } = bed(kind, 2);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 2, true);
    expect(truncate(task, file, PAGE)).toBe(0);
    expect(truncate(task, file, 3 * PAGE)).toBe(0);
    expect(file.sizePages).toBe(3);
    touchAll(machine, task, START + 1, 1, false);
    expect(machine.contents?.get(cachedFrame(file, 1))).toBe(0);
    checkMachine(machine);
  });

  it('a page still being written is waited for', () => {
    const { machine, file, task, truncate } = bed(kind, 1);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 1, true);
    const pfn = cachedFrame(file, 0);
    unmapEverywhere(machine, task, pfn);
    startWriteback(machine, pfn);
    expect(truncate(task, file, 0)).toBe(0);
    expect([machine.block.inFlight, machine.frames.count(pfn)]).toEqual([0, 0]);
    checkMachine(machine);
  });

  it('sizes that are none', () => {
    const { file, task, truncate } = bed(kind, 2);
    expect([truncate(task, file, -1), truncate(task, file, NaN), truncate(task, file, 2 ** 50)]).toEqual([
      -EINVAL,
      -EINVAL,
      -EFBIG,
    ]);
    expect(file.sizePages).toBe(2);
  });
});

describe('what only files have', () => {
  it('section 5: buffers are invalidated', () => {
    const { machine, file, task, truncate } = bed('file', 1);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 1, false);
    const pfn = cachedFrame(file, 0);
    machine.frames.set(pfn, PG_PRIVATE);
    machine.frames.get(pfn);
    expect(truncate(task, file, 0)).toBe(0);
    machine.lru.drainAll();
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });
});

describe('what only shmem objects have', () => {
  it('section 7: swap slots behind the end are free again, pages in the swap cache too', () => {
    const { machine, file, task, truncate } = bed('shmem', 4, { writesAtOnce: true });
    shmemOn(machine, 1, file);
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 4, true);
    const free = machine.swap.free;
    for (let i = 1; i < 4; i++) evict(machine, task, cachedFrame(file, i));
    expect(slots(file, 4)).toEqual(['cached', 'swapped', 'swapped', 'swapped']);
    expect(machine.swap.free).toBe(free - 3);
    expect(truncate(task, file, PAGE)).toBe(0);
    expect(slots(file, 4)).toEqual(['cached', '-', '-', '-']);
    expect(machine.swap.free).toBe(free);
    checkMachine(machine);
  });

  it('a swapped page that holds the new end is read in, so that its rest can be cleared', () => {
    const { machine, file, task, truncate } = bed('shmem', 2, { writesAtOnce: true });
    mapShared(machine, task, file, START);
    touchAll(machine, task, START, 2, true);
    evict(machine, task, cachedFrame(file, 0));
    expect(truncate(task, file, 100)).toBe(0);
    expect(slots(file, 2)).toEqual(['cached', '-']);
    machine.lru.drainAll();
    checkMachine(machine);
  });
});

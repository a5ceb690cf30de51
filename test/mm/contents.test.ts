import { expect, it } from 'vitest';
import { Contents } from '../../src/mm/index.js';
import { makeBed } from '../../src/prove/index.js';
import { PAGE_BYTES, type PageId, type Pfn } from '../../src/units.js';

const [OLD, FRESH, BESIDE] = [3, 5, 4] as Pfn[];

it('a copy carries the 4 KiB of a frame, all of them and no byte beside', () => {
  const contents = new Contents(8, true);
  contents.set(OLD, 7);
  contents.set(BESIDE, 9);
  contents.copy(FRESH, OLD);
  expect(contents.page(FRESH)?.byteLength).toBe(PAGE_BYTES);
  expect(new Set(contents.page(FRESH))).toEqual(new Set([7]));
  expect(new Set(contents.page(BESIDE))).toEqual(new Set([9]));
  expect(contents.get(FRESH)).toBe(7);
  expect(new Contents(8).page(OLD)).toBeNull();
});

it('a misplaced page that a fault moves has its 4 KiB on the new frame', async () => {
  const { machine, tasks, touchId, touchTask, place, unmapLazily } = await makeBed({
    ...{ pages: 64, policy: null, contents: true },
  });
  place(true);
  const page = touchId[0] as PageId;
  const old = machine.tables.word[page] as Pfn;
  machine.contents?.set(old, 42);
  unmapLazily();
  const fresh = machine.access(tasks[touchTask[0]], page, false);
  expect(machine.counters.get('mof_migrate_done')).toBe(1);
  expect(fresh).not.toBe(old);
  expect(new Set(machine.contents?.page(fresh))).toEqual(new Set([42]));
});

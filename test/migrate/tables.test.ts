import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { nodePairs } from '../../src/engine/syscalls/move-pages.js';
import { makePageOutSteps, PAGE_ACTIVATE, PAGE_CLEAN, PAGE_KEEP, PAGE_SUCCESS } from '../../src/migrate/page-out.js';
import { PG_DIRTY, PG_PRIVATE } from '../../src/mm/index.js';
import type { NodeId, Pfn } from '../../src/units.js';
import { cacheOn, mapShared, processWithPages, shmemOn, unmapEverywhere } from '../support/arrange.js';
import { oldMachine } from '../support/movers.js';
import { frameAt, processOn, touchAll } from '../support/tiny-machine.js';

const nodes = (text: string): NodeId[] => Array.from(text, (digit) => Number(digit) as NodeId);

describe('the node map of migrate_pages(2) (section 6)', () => {
  const ROWS = [
    ['01', '23', '2.6.16', '0>2 1>3'],
    ['01', '12', '2.6.16', '1>2 0>1'],
    ['0123', '2', '2.6.16', '0>2 1>2 3>2'],
    ['12', '2', '2.6.16', '1>2'],
    ['01', '01', '2.6.16', ''],
    ['01234567', '345', '6.x', '0>3 1>4 2>5 6>3 7>4'],
    // Not in the table: each waits for the next one; an empty destination maps nothing.
    ['012', '123', '2.6.16', '2>3 1>2 0>1'],
    ['01', '', '2.6.16', ''],
  ] as const;

  it('has the six rows of the rules and two more', () => {
    expect(ROWS).toHaveLength(8);
  });

  it.each(ROWS)('{%s} to {%s} [%s]: %s', (from, to, era, moves) => {
    const pairs = nodePairs(nodes(from), nodes(to), era === '6.x');
    expect(pairs.map(([source, destination]) => `${String(source)}>${String(destination)}`).join(' ')).toBe(moves);
  });
});

describe('pageout (section 3)', () => {
  const PAGE = 16;

  interface Page {
    readonly machine: Machine;
    readonly pfn: Pfn;
    /** References that the test holds beside the isolation's. */
    readonly pinned?: number;
    readonly buffersBusy?: boolean;
  }

  /** A dirty page of a file that nobody maps. */
  function filePage(): Page {
    const machine = oldMachine('mof-2006');
    const [pfn] = cacheOn(machine, 0, machine.files.create('file', 'f', 1));
    machine.frames.set(pfn, PG_DIRTY);
    return { machine, pfn };
  }

  function withBuffers({ machine, pfn }: Page): void {
    machine.frames.set(pfn, PG_PRIVATE);
    machine.frames.get(pfn);
  }

  function shmemPage(swapPages = 8): Page {
    const machine = oldMachine('mof-2006', { swapPages });
    const [pfn] = shmemOn(machine, 0, machine.files.create('shmem', 's', 1));
    machine.frames.set(pfn, PG_DIRTY);
    return { machine, pfn };
  }

  /** An anonymous page that is in the swap cache, with its entry naming the slot. */
  function swapPage(): Page {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, PAGE, 1);
    const pfn = frameAt(machine, task, PAGE);
    unmapEverywhere(machine, task, pfn);
    return { machine, pfn };
  }

  const ROWS: readonly {
    readonly what: string;
    readonly arrange: () => Page;
    readonly result: number;
    readonly locked: boolean;
    readonly dirty: boolean;
  }[] = [
    { what: 'a dirty file page: written', arrange: filePage, result: PAGE_SUCCESS, locked: false, dirty: false },
    {
      what: 'the same with buffers, which are a reference of their own',
      arrange() {
        const page = filePage();
        withBuffers(page);
        return page;
      },
      ...{ result: PAGE_SUCCESS, locked: false, dirty: false },
    },
    {
      what: 'somebody else holds a reference',
      arrange() {
        const page = filePage();
        page.machine.frames.get(page.pfn);
        return { ...page, pinned: 1 };
      },
      ...{ result: PAGE_KEEP, locked: true, dirty: true },
    },
    {
      what: 'a mapped page has a reference more (DM-17)',
      arrange() {
        const machine = oldMachine('mof-2006');
        const task = processOn(machine, 0);
        mapShared(machine, task, machine.files.create('file', 'f', 1), PAGE);
        touchAll(machine, task, PAGE, 1, false);
        const pfn = frameAt(machine, task, PAGE);
        machine.frames.set(pfn, PG_DIRTY);
        return { machine, pfn };
      },
      ...{ result: PAGE_KEEP, locked: true, dirty: true },
    },
    {
      what: 'truncated, its buffers cannot be dropped',
      arrange() {
        const page = filePage();
        withBuffers(page);
        orphan(page);
        return { ...page, pinned: 1, buffersBusy: true };
      },
      ...{ result: PAGE_KEEP, locked: true, dirty: true },
    },
    {
      what: 'truncated without buffers',
      arrange() {
        const page = filePage();
        orphan(page);
        return { ...page, pinned: 1 };
      },
      ...{ result: PAGE_KEEP, locked: true, dirty: true },
    },
    {
      what: 'an orphan whose buffers are dropped',
      arrange() {
        const page = filePage();
        withBuffers(page);
        orphan(page);
        return { ...page, pinned: 1 };
      },
      ...{ result: PAGE_CLEAN, locked: true, dirty: true },
    },
    {
      what: 'nothing to write',
      arrange() {
        const page = filePage();
        page.machine.frames.clear(page.pfn, PG_DIRTY);
        return page;
      },
      ...{ result: PAGE_CLEAN, locked: true, dirty: false },
    },
    {
      what: 'tmpfs: into the swap cache, dirty, nothing written (PL-50)',
      arrange: shmemPage,
      ...{ result: PAGE_SUCCESS, locked: false, dirty: true },
    },
    {
      what: 'tmpfs without a swap slot: wanted back (PL-50)',
      arrange: () => shmemPage(0),
      ...{ result: PAGE_ACTIVATE, locked: true, dirty: true },
    },
    {
      what: 'tmpfs that SHM_LOCK holds (PL-50)',
      arrange() {
        const page = shmemPage();
        page.machine.files.all()[0].isUnevictable = true;
        return page;
      },
      ...{ result: PAGE_ACTIVATE, locked: true, dirty: true },
    },
    { what: 'a swap-cache page: to its slot', arrange: swapPage, result: PAGE_SUCCESS, locked: false, dirty: false },
    {
      what: 'a swap-cache page whose slot nobody else uses leaves the cache instead (section 6 of the lifecycle)',
      arrange() {
        const page = swapPage();
        const [task] = page.machine.process.tasks();
        page.machine.frames.tryLock(page.pfn); // so that the exit cannot take the page along
        page.machine.process.exit(task);
        page.machine.frames.unlock(page.pfn);
        return page;
      },
      ...{ result: PAGE_SUCCESS, locked: false, dirty: true },
    },
  ];

  /** Truncation took the page out of its file; the test holds on to it. */
  function orphan({ machine, pfn }: Page): void {
    machine.pageCache.remove(pfn); // the cache's reference is the test's now
  }

  it('has a row for each way to a result', () => {
    expect(ROWS).toHaveLength(13);
    expect(new Set(ROWS.map(({ result }) => result)).size).toBe(4);
  });

  it.each(ROWS)('$what', ({ arrange, result, locked, dirty }) => {
    const { machine, pfn, pinned = 0, buffersBusy = false } = arrange();
    const { frames, lru } = machine;
    lru.drainAll();
    const steps = makePageOutSteps({ ...machine, buffersBusy: () => buffersBusy, shmemWritesAtOnce: false }, null);
    expect(lru.isolate(pfn)).toBe(true);
    frames.tryLock(pfn);
    expect(steps.pageout(pfn)).toBe(result);
    expect([frames.isLocked(pfn), frames.isDirty(pfn)]).toEqual([locked, dirty]);
    frames.unlock(pfn);
    const [task] = machine.process.tasks();
    lru.putback(task?.cpu ?? machine.topology.cpusOf(0 as NodeId)[0], pfn);
    checkMachine(machine, new Map([[pfn, pinned]]));
  });
});

import { describe, expect, it, vi } from 'vitest';
import { checkMachine, profileNamed, type Machine } from '../../../src/engine/index.js';
import { EINVAL } from '../../../src/errors.js';
import {
  MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
  MIGRATE_VMA_SELECT_SYSTEM,
  type MigrateVmaRequest,
} from '../../../src/migrate/index.js';
import { PG_DIRTY, PG_RESERVED, VM_READ, VM_SPECIAL, type Task } from '../../../src/mm/index.js';
import type { Pfn } from '../../../src/units.js';
import { mapShared, processWithPages, unmapEverywhere } from '../../support/arrange.js';
import {
  collect,
  deviceMachine,
  entryOf,
  finish,
  FORMS,
  goOn,
  migrateAll,
  OLD,
  requestFor,
  TWO_FORMS,
  wordAt,
  wordsOf,
  type Form,
} from '../../support/device.js';
import { cpuOf, frameAt, mapAnon, processOn, touchAll } from '../../support/tiny-machine.js';

// migrate-vma.md sections 2 and 3: what setup refuses, and what collect makes of each entry.

const START = 1000;
const SYSTEM = { select: MIGRATE_VMA_SELECT_SYSTEM };
const DEVICE = { select: MIGRATE_VMA_SELECT_DEVICE_PRIVATE };

interface Case {
  /** How the entry comes about; page `START` of the task. @returns the frame meant by `page`, and what ends it */
  readonly arrange: (machine: Machine, task: Task, form: Form) => { pfn?: Pfn; after?: () => void };
  readonly request?: Partial<MigrateVmaRequest>;
  /** The word, `page` standing for the frame. */
  readonly word: string;
}

const onDevice = (machine: Machine, task: Task, name: string, isShared = false) => {
  mapAnon(machine, task, START, 1);
  touchAll(machine, task, START, 1, true);
  machine.lru.drainAll();
  if (isShared) machine.process.fork(task, task.cpu);
  migrateAll(machine, requestFor(task, START, 1), name);
  return { pfn: wordAt(machine, task, START) };
};
const own = (machine: Machine, task: Task, isWrite = true) => {
  mapAnon(machine, task, START, 1);
  touchAll(machine, task, START, 1, isWrite);
  machine.lru.drainAll();
  return { pfn: frameAt(machine, task, START) };
};

/** The table of section 3, each row with what it leaves open. */
const ENTRIES: readonly (readonly [pte: string, cases: readonly Case[]])[] = [
  [
    'none, anonymous vma',
    [
      { arrange: (machine, task) => (mapAnon(machine, task, START, 1), {}), word: 'hole' },
      { arrange: (machine, task) => (mapAnon(machine, task, START, 1), {}), request: DEVICE, word: 'hole' },
    ],
  ],
  [
    'none, other vma',
    [
      {
        arrange: (machine, task) => (mapShared(machine, task, machine.files.create('shmem', 's', 1), START), {}),
        word: '0',
      },
      {
        arrange: (machine, task) => (mapShared(machine, task, machine.files.create('file', 'f', 1), START), {}),
        word: '0',
      },
    ],
  ],
  [
    'swap, migration, other special',
    [
      {
        arrange: (machine, task) => {
          unmapEverywhere(machine, task, own(machine, task).pfn);
          return {};
        },
        word: '0',
      },
      {
        arrange: (machine, task) => {
          own(machine, task);
          const other = requestFor(task, START, 1);
          machine.migrateVma.setup(other);
          return {
            after: () => {
              finish(machine, other);
            },
          };
        },
        word: '0',
      },
    ],
  ],
  [
    'device private, selected, same owner',
    [
      { arrange: (machine, task) => onDevice(machine, task, 'gpu'), request: DEVICE, word: 'page migrate write' },
      { arrange: (machine, task) => onDevice(machine, task, 'gpu', true), request: DEVICE, word: 'page migrate' },
      { arrange: (machine, task) => onDevice(machine, task, 'gpu'), request: SYSTEM, word: '0' },
      { arrange: (machine, task) => onDevice(machine, task, 'nic'), request: DEVICE, word: '0' },
      {
        arrange: (machine, task) => onDevice(machine, task, 'nic'),
        request: { ...DEVICE, owner: 'nic' },
        word: 'page migrate write',
      },
    ],
  ],
  [
    'zero page, SYSTEM selected',
    [
      { arrange: (machine, task) => own(machine, task, false), request: SYSTEM, word: 'hole' },
      { arrange: (machine, task) => own(machine, task, false), request: DEVICE, word: '0' },
    ],
  ],
  [
    'normal page, selected',
    [
      { arrange: (machine, task) => own(machine, task), request: SYSTEM, word: 'page migrate write' },
      {
        arrange: (machine, task) => {
          const page = own(machine, task);
          machine.process.fork(task, task.cpu);
          return page;
        },
        word: 'page migrate',
      },
      { arrange: (machine, task) => own(machine, task), request: DEVICE, word: '0' },
      {
        arrange: (machine, task) => {
          mapShared(machine, task, machine.files.create('shmem', 's', 1), START);
          touchAll(machine, task, START, 1, true);
          machine.lru.drainAll();
          return { pfn: frameAt(machine, task, START) };
        },
        word: 'page migrate write',
      },
    ],
  ],
  [
    'no page, page without mapping',
    [
      {
        arrange: (machine, task) => {
          const { pfn } = own(machine, task);
          machine.frames.set(pfn, PG_RESERVED);
          return {
            after: () => {
              machine.frames.clear(pfn, PG_RESERVED);
            },
          };
        },
        word: '0',
      },
      {
        arrange: (machine, task) => {
          const { pfn } = own(machine, task);
          const [mapping, index] = [machine.frames.mapping(pfn), machine.frames.index(pfn)];
          machine.frames.setMapping(pfn, 0, 0);
          return {
            after: () => {
              machine.frames.setMapping(pfn, mapping, index);
            },
          };
        },
        word: '0',
      },
    ],
  ],
];

describe('MV section 3: what an entry is to collect', () => {
  it('is a table of seven rows', () => {
    expect(ENTRIES).toHaveLength(7);
  });

  const rows = ENTRIES.flatMap(([pte, cases]) => TWO_FORMS.map((form) => [pte, form, cases] as const));
  it.each(rows)('%s [%s]', (_, form, cases) => {
    for (const { arrange, request, word } of cases) {
      const { machine } = deviceMachine(form);
      const task = processOn(machine, 0);
      const { pfn, after } = arrange(machine, task, form);
      const m = collect(machine, requestFor(task, START, 1, request));
      const wanted = word.replace('page', `page ${String(pfn)}`);
      const locked = form === OLD && pfn !== undefined && word !== '0' && word !== 'hole';
      expect(wordsOf(m)).toEqual([locked ? wanted.replace('migrate', 'migrate locked') : wanted]);
      expect([m.result, m.npages, m.cpages]).toEqual([0, 1, word === '0' ? 0 : 1]);
      goOn(machine, m);
      finish(machine, m);
      after?.();
      checkMachine(machine);
    }
  });
});

/** What the two forms do with the lock of a candidate: the second table of section 3. */
const LOCKS: readonly (readonly [what: string, form: Form, isFree: boolean, seen: readonly unknown[]])[] = [
  // word, cpages, entry, references, whether the page is locked by the migration
  ['cpages and a free lock', OLD, true, ['page migrate locked write', 1, 'migration+w', 1, true]],
  ['cpages and a free lock', 'linux-6.12', true, ['page migrate write', 1, 'migration+w', 1, true]],
  ['cpages and a busy lock', OLD, false, ['page migrate write', 1, 'present+w', 2, false]],
  ['cpages and a busy lock', 'linux-6.12', false, ['0', 0, 'present+w', 1, false]],
  ['lock obtained: rmap and the reference of the entry are gone', OLD, true, [0]],
  ['lock obtained: rmap and the reference of the entry are gone', 'linux-6.12', true, [0]],
];

describe('MV section 3: the lock of a candidate', () => {
  it('is a table of three rows and two columns', () => {
    expect(LOCKS).toHaveLength(6);
  });

  it.each(LOCKS)('%s [%s, free: %s]', (_, form, isFree, seen) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 1);
    const { frames } = machine;
    const pfn = frameAt(machine, task, START);
    if (!isFree) frames.tryLock(pfn);
    const m = collect(machine, requestFor(task, START, 1));
    const all = [
      ...[wordsOf(m)[0].replace(` ${String(pfn)}`, ''), m.cpages, entryOf(machine, task, START), frames.count(pfn)],
      isFree && frames.isLocked(pfn),
    ];
    expect(seen.length === 1 ? [frames.mapcount(pfn)] : all).toEqual(seen);
    if (!isFree) frames.unlock(pfn);
    goOn(machine, m);
    finish(machine, m);
    checkMachine(machine);
  });
});

const REFUSED: readonly (readonly [
  what: string,
  request: (machine: Machine, task: Task) => Partial<MigrateVmaRequest>,
])[] = [
  ['no vma', () => ({ vma: null })],
  [
    'hugetlb, special or DAX vma',
    (machine, task) => {
      const vma = machine.memory.mmap(task.space, 2000, 2, { flags: VM_READ | VM_SPECIAL }, task.cpu);
      return { vma, start: 2000, end: 2001 };
    },
  ],
  ['empty range', () => ({ start: START, end: START })],
  ['range before the vma', () => ({ start: START - 1, end: START + 1 })],
  ['range beyond the vma', () => ({ start: START, end: START + 3 })],
  ['missing arrays: src', () => ({ src: null })],
  ['missing arrays: dst', () => ({ dst: null })],
  ['fault page that is of a node', (machine, task) => ({ faultPage: frameAt(machine, task, START) })],
  ['fault page of a device of another kind', (machine) => ({ faultPage: machine.devices.named('log').first })],
];

describe('MV section 2: EINVAL of setup', () => {
  it('is for nine kinds of bad arguments', () => {
    expect(REFUSED).toHaveLength(9);
  });

  it.each(REFUSED.flatMap((row) => TWO_FORMS.map((form) => [row[0], form, row[1]] as const)))(
    '%s [%s]',
    (_, form, request) => {
      const { machine } = deviceMachine(form);
      const { task } = processWithPages(machine, 0, START, 2);
      const m = requestFor(task, START, 2, request(machine, task));
      expect(machine.migrateVma.setup(m)).toBe(-EINVAL);
      expect(m.npages).toBe(0);
      checkMachine(machine);
    },
  );

  it('nothing that can migrate is no error', () => {
    const { machine } = deviceMachine('mof');
    const { task } = processWithPages(machine, 0, START, 2);
    const m = requestFor(task, START, 2, DEVICE);
    expect([machine.migrateVma.setup(m), m.npages, m.cpages]).toEqual([0, 2, 0]);
    checkMachine(machine);
  });
});

describe('MV-1: the migration entry of collect', () => {
  it.each(TWO_FORMS)('is all that a page mapped once needs; further mappings wait for unmap [%s]', (form) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 2);
    const child = machine.process.fork(task, task.cpu);
    machine.touch(child, START + 1, true); // a page of its own: the other is mapped twice
    machine.lru.drainAll();
    const pages = [START, START + 1].map((vpn) => frameAt(machine, task, vpn));
    const m = collect(machine, requestFor(task, START, 2));
    const entries = (one: Task) => [START, START + 1].map((vpn) => entryOf(machine, one, vpn));
    expect([entries(task), entries(child)]).toEqual([
      ['migration', 'migration'],
      ['present', 'present+w'],
    ]);
    expect(pages.map((pfn) => machine.frames.mapcount(pfn))).toEqual([1, 0]);
    goOn(machine, m);
    expect(entries(child)).toEqual(['migration', 'present+w']);
    finish(machine, m);
    expect([frameAt(machine, task, START), frameAt(machine, child, START)]).toEqual([pages[0], pages[0]]);
    checkMachine(machine);
  });
});

describe('MV-2: what collect does for a page of one task alone', () => {
  /** A page with so many references that they could be pins. */
  const withPins = (form: Form, pins: number) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 1);
    const pfn = frameAt(machine, task, START);
    for (let i = 0; i < pins; i++) machine.frames.get(pfn);
    return { machine, task, pfn };
  };

  it.each([
    ['linux-6.12', 1024, '0', 'present+w'],
    ['linux-6.12', 1021, 'page migrate write', 'migration+w'],
    [OLD, 1024, 'page migrate locked write', 'migration+w'],
  ] as const)('[%s] with %d pins the word is %s and the entry %s', (form, pins, word, entry) => {
    const { machine, task, pfn } = withPins(form, pins);
    const m = collect(machine, requestFor(task, START, 1));
    expect(wordsOf(m)).toEqual([word.replace('page', `page ${String(pfn)}`)]);
    expect([entryOf(machine, task, START), machine.frames.isLocked(pfn)]).toEqual([entry, word !== '0']);
    goOn(machine, m);
    finish(machine, m);
    expect([entryOf(machine, task, START), frameAt(machine, task, START)]).toEqual(['present+w', pfn]);
    checkMachine(machine, new Map([[pfn, pins]]));
  });

  it.each([
    ['linux-6.12', true],
    [OLD, false],
  ] as const)('[%s] the dirty bit of the entry reaches the page: %s', (form, reaches) => {
    const { machine, task, pfn } = withPins(form, 0);
    machine.frames.clear(pfn, PG_DIRTY);
    const m = collect(machine, requestFor(task, START, 1));
    expect(machine.frames.isDirty(pfn)).toBe(reaches);
    goOn(machine, m);
    finish(machine, m);
  });

  // The page is in the swap cache and clean, as after swap-in; it is written through its entry, collected, and put back.
  const writtenInSwapCache = (form: Form): Machine => {
    const { machine, task, pfn } = withPins(form, 0);
    unmapEverywhere(machine, task, pfn);
    machine.touch(task, START, true);
    machine.lru.drainAll();
    expect(machine.frames.isSwapCache(pfn)).toBe(true);
    machine.frames.clear(pfn, PG_DIRTY); // it was written to its slot meanwhile …
    machine.swap.device?.set(machine.frames.private_(pfn) as Pfn, 5);
    machine.contents?.set(pfn, 6); // … and then by the task
    const m = requestFor(task, START, 1);
    machine.migrateVma.setup(m);
    finish(machine, m); // no destination
    return machine;
  };

  it('without that, what was written last is lost with the page: seen as INV-13 under linux-5.15', () => {
    expect(() => {
      checkMachine(writtenInSwapCache(OLD));
    }).toThrow('INV-13: a clean page differs from its backing store');
  });

  // Nothing but private memory was meant to be handled then; a page of a file would lose what was written to it.
  it.each([
    ['linux-6.12', true],
    [OLD, false],
  ] as const)('[%s] a page of a file, written through its entry, stays dirty: %s', (form, stays) => {
    const { machine } = deviceMachine(form);
    const task = processOn(machine, 0);
    mapShared(machine, task, machine.files.create('file', 'f', 1), START);
    touchAll(machine, task, START, 1, true);
    machine.lru.drainAll();
    machine.contents?.set(frameAt(machine, task, START), 6);
    const m = requestFor(task, START, 1);
    machine.migrateVma.setup(m);
    finish(machine, m);
    const check = (): void => {
      checkMachine(machine);
    };
    if (stays) check();
    else expect(check).toThrow('INV-13');
  });

  it.each(FORMS.filter((form) => form !== OLD))('[%s] it is not', (form) => {
    checkMachine(writtenInSwapCache(form));
  });
});

describe('MV-3: one flush per page table, if anything was unmapped', () => {
  const LEAF = 512;
  const flushes = (
    form: Form,
    arrange: (machine: Machine, task: Task) => void,
    first: number,
    pages: number,
  ): number => {
    const { machine } = deviceMachine(form);
    const task = machine.process.newProcess(cpuOf(machine, 0));
    arrange(machine, task);
    machine.lru.drainAll();
    const before = machine.counters.get('nr_tlb_local_flush_one');
    const m = collect(machine, requestFor(task, first, pages));
    const counted = machine.counters.get('nr_tlb_local_flush_one') - before;
    goOn(machine, m);
    finish(machine, m);
    checkMachine(machine);
    return counted;
  };
  const shared = (machine: Machine, task: Task): void => {
    mapAnon(machine, task, LEAF - 2, 4);
    touchAll(machine, task, LEAF - 2, 4, true);
    machine.process.fork(task, task.cpu);
  };
  const owned = (machine: Machine, task: Task): void => {
    mapAnon(machine, task, LEAF - 2, 4);
    touchAll(machine, task, LEAF - 2, 4, true);
  };

  it.each([
    ['two tables, four shared pages', TWO_FORMS, shared, LEAF - 2, 4, 2],
    ['one table, two shared pages', TWO_FORMS, shared, LEAF, 2, 1],
    ['holes', TWO_FORMS, (machine: Machine, task: Task) => mapAnon(machine, task, LEAF - 2, 4), LEAF - 2, 4, 0],
    ['four pages of one task alone, before exclusivity', [OLD], owned, LEAF - 2, 4, 2],
    ['four pages of one task alone: one each besides (MV-2)', ['linux-6.12'], owned, LEAF - 2, 4, 6],
  ] as const)('%s [%s]', (_, forms, arrange, first, pages, expected) => {
    for (const form of forms) expect(flushes(form, arrange, first, pages)).toBe(expected);
  });
});

describe('MV-13: if nothing was collected', () => {
  it.each(TWO_FORMS)('nothing is drained, and nothing is held [%s]', (form) => {
    const { machine } = deviceMachine(form);
    const { task } = processWithPages(machine, 0, START, 2);
    const drain = vi.spyOn(machine.lru, 'drain');
    const m = requestFor(task, START, 2, DEVICE);
    expect([machine.migrateVma.setup(m), m.cpages, drain.mock.calls.length]).toEqual([0, 0, 0]);
    checkMachine(machine);
  });

  it('the 5.16 variant differs from 6.x in what came later, not in its shape', () => {
    expect(profileNamed('linux-6.12').rules.migrateVma).toBe('6.x');
    const { machine } = deviceMachine('linux-6.12', { rules: { migrateVma: '5.16' } });
    const { task } = processWithPages(machine, 0, START, 2);
    machine.frames.tryLock(frameAt(machine, task, START));
    const m = collect(machine, requestFor(task, START, 2));
    expect([m.cpages, wordsOf(m)[0]]).toEqual([1, '0']); // no second try
    expect(machine.frames.isDirty(frameAt(machine, task, START))).toBe(false); // and no dirty bit
    machine.frames.unlock(frameAt(machine, task, START));
    goOn(machine, m);
    finish(machine, m);
    checkMachine(machine);
  });
});

import { describe, expect, it } from 'vitest';
import { numaMapsText } from '../../../src/engine/syscalls/numa-maps.js';
import { VM_READ, VM_WRITE } from '../../../src/mm/index.js';
import { mapPrivate, mapShared, moveTo, startWriteback } from '../../support/arrange.js';
import {
  BIND,
  callsBed,
  F_RELATIVE,
  F_STATIC,
  INTERLEAVE,
  LOCAL,
  MAXNODE,
  mbind,
  PREFERRED,
  PREFERRED_MANY,
  WEIGHTED,
  type CallsBed,
} from '../../support/calls.js';
import { frameAt, mapAnon, touchAll } from '../../support/tiny-machine.js';

// Lines of /proc/PID/numa_maps (mempolicy section 9): the form of 2.6.16 beside that of 6.x.

const START = 0x1000;

interface Row {
  readonly says: string;
  readonly arrange: (bed: CallsBed) => void;
  readonly old?: string;
  readonly now: string;
}

const anon = (pages: number) => (bed: CallsBed) => {
  mapAnon(bed.machine, bed.task, START, pages);
  touchAll(bed.machine, bed.task, START, pages, true);
};

const LINES: readonly Row[] = [
  {
    says: 'nothing mapped: no counts',
    arrange: ({ machine, task }) => mapAnon(machine, task, START, 4),
    old: '01000000 default',
    now: '01000000 default',
  },
  {
    says: 'the zero page does not count',
    arrange: ({ machine, task }) => {
      mapAnon(machine, task, START, 1);
      machine.touch(task, START, false);
    },
    old: '01000000 default',
    now: '01000000 default',
  },
  {
    says: 'written anonymous pages: mapped is left out, active too where all are',
    arrange: anon(3),
    old: '01000000 default anon=3 dirty=3 N0=3',
    now: '01000000 default anon=3 dirty=3 active=0 N0=3 kernelpagesize_kB=4',
  },
  {
    says: 'pages on several nodes',
    arrange: (bed) => {
      mapAnon(bed.machine, bed.task, START, 4);
      mbind(bed, START, 4, INTERLEAVE, [1, 3]);
      touchAll(bed.machine, bed.task, START, 4, true);
    },
    old: '01000000 interleave=1,3 anon=4 dirty=4 N1=2 N3=2',
    now: '01000000 interleave:1,3 anon=4 dirty=4 active=0 N1=2 N3=2 kernelpagesize_kB=4',
  },
  {
    says: 'a range of nodes',
    arrange: (bed) => {
      mapAnon(bed.machine, bed.task, START, 1);
      mbind(bed, START, 1, BIND, [0, 1, 2]);
    },
    old: '01000000 bind=0-2',
    now: '01000000 bind:0-2',
  },
  {
    says: 'PREFERRED',
    arrange: (bed) => {
      mapAnon(bed.machine, bed.task, START, 1);
      mbind(bed, START, 1, PREFERRED, [2]);
    },
    old: '01000000 prefer=2',
    now: '01000000 prefer:2',
  },
  {
    says: 'the policy of the task appears where the area has none',
    arrange: (bed) => {
      mapAnon(bed.machine, bed.task, START, 1);
      bed.calls.policy.setMempolicy(bed.task, BIND, [1], MAXNODE);
    },
    old: '01000000 bind=1',
    now: '01000000 bind:1',
  },
  {
    says: 'a clean file: neither anon nor dirty, so mapped',
    arrange: ({ machine, task }) => {
      mapShared(machine, task, machine.files.create('file', '/data/in put', 2), START);
      touchAll(machine, task, START, 2, false);
    },
    old: '01000000 default file=/data/in\\040put mapped=2 active=0 N0=2',
    now: '01000000 default file=/data/in\\040put mapped=2 active=0 N0=2 kernelpagesize_kB=4',
  },
  {
    says: 'a private mapping of a file with one copy',
    arrange: ({ machine, task }) => {
      mapPrivate(machine, task, machine.files.create('file', '/data/in', 2), START);
      touchAll(machine, task, START, 1, true);
      touchAll(machine, task, START + 1, 1, false);
      moveTo(machine, task, 1);
    },
    old: '01000000 default file=/data/in anon=1 dirty=1 mapped=2 active=1 N0=2',
    now: '01000000 default file=/data/in anon=1 dirty=1 mapped=2 active=0 N0=2 kernelpagesize_kB=4',
  },
  {
    says: 'mapped twice',
    arrange: (bed) => {
      anon(1)(bed);
      bed.machine.process.fork(bed.task, bed.task.cpu);
    },
    old: '01000000 default anon=1 dirty=1 mapmax=2 N0=1',
    now: '01000000 default anon=1 dirty=1 mapmax=2 active=0 N0=1 kernelpagesize_kB=4',
  },
  {
    says: 'in the swap cache, being written',
    arrange: (bed) => {
      anon(1)(bed);
      const pfn = frameAt(bed.machine, bed.task, START);
      bed.machine.swapOut.addToSwap(pfn);
      startWriteback(bed.machine, pfn);
    },
    old: '01000000 default anon=1 dirty=1 swapcache=1 writeback=1 N0=1',
    now: '01000000 default anon=1 dirty=1 swapcache=1 active=0 writeback=1 N0=1 kernelpagesize_kB=4',
  },
  {
    says: 'the heap',
    arrange: ({ machine, task }) =>
      machine.memory.mmap(task.space, START, 1, { flags: VM_READ | VM_WRITE, name: 'heap' }, task.cpu),
    old: '01000000 default heap',
    now: '01000000 default heap',
  },
  {
    says: 'the stack',
    arrange: ({ machine, task }) =>
      machine.memory.mmap(task.space, START, 1, { flags: VM_READ | VM_WRITE, name: '[stack]' }, task.cpu),
    old: '01000000 default stack',
    now: '01000000 default stack',
  },
  ...(
    [
      [LOCAL, [], 'local'],
      [PREFERRED_MANY, [0, 2], 'prefer (many):0,2'],
      [WEIGHTED, [0, 2], 'weighted interleave:0,2'],
      [INTERLEAVE | F_STATIC, [0, 2], 'interleave=static:0,2'],
      [BIND | F_RELATIVE, [5], 'bind=relative:1'],
    ] as const
  ).map(([mode, nodes, text]) => ({
    says: text,
    arrange: (bed: CallsBed) => {
      mapAnon(bed.machine, bed.task, START, 1);
      expect(mbind(bed, START, 1, mode, nodes)).toBe(0);
    },
    now: `01000000 ${text}`,
  })),
];

describe('a line of numa_maps', () => {
  it('is told by 18 rows', () => {
    expect(LINES).toHaveLength(18);
  });

  const rows = LINES.flatMap((row) => [
    ...(['mof', 'linux-6.12'] as const).map((profile) => ({ ...row, profile, line: row.now })),
    ...(row.old === undefined ? [] : [{ ...row, profile: 'mof-2006' as const, line: row.old }]),
  ]);
  it.each(rows)('section 9 [$profile] $says', ({ profile, arrange, line }) => {
    const bed = callsBed({ profile });
    arrange(bed);
    bed.machine.lru.drainAll();
    expect(bed.calls.numaMaps(bed.task).map(numaMapsText)).toEqual([line]);
  });

  it('MP-10, MP-11 [mof-2006] an object without a policy of its own shows default, whatever the task has', () => {
    for (const [profile, word] of [
      ['mof-2006', 'default'],
      ['mof', 'bind:1'],
    ] as const) {
      const bed = callsBed({ profile });
      mapShared(bed.machine, bed.task, bed.machine.files.create('shmem', 'seg', 1), START);
      bed.calls.policy.setMempolicy(bed.task, BIND, [1], MAXNODE);
      expect(bed.calls.numaMaps(bed.task).map(numaMapsText)).toEqual([`01000000 ${word} file=seg`]);
    }
  });

  it('one line per area, in order of address, high addresses whole', () => {
    const bed = callsBed();
    mapAnon(bed.machine, bed.task, 0x7f5500000, 2);
    mapAnon(bed.machine, bed.task, START, 2);
    mbind(bed, START + 1, 1, PREFERRED, [1]);
    expect(bed.calls.numaMaps(bed.task).map(numaMapsText)).toEqual([
      '01000000 default',
      '01001000 prefer:1',
      '7f5500000000 default',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { BLOCK_EMPTY, BLOCK_SMALL, BLOCK_WHOLE } from '../../src/hardware/index.js';
import { VM_READ, VM_SHARED, VM_WRITE, type FileObject, type Task } from '../../src/mm/index.js';
import { NO_PAGE } from '../../src/units.js';
import { BIND, bytes, callsBed, INTERLEAVE, MAXNODE, MOVE, type CallsBed } from '../support/calls.js';
import { frameAt, nodeAt, touchAll } from '../support/tiny-machine.js';

// tmpfs mounted with huge=always (K-H18).

interface Bed extends CallsBed {
  readonly file: FileObject;
}

function bedWith(profile: string, pages = 1536, inode = 512): Bed {
  const bed = callsBed({ nodes: 2, framesPerNode: 8192, profile, thp: {} });
  const file = bed.machine.files.create('shmem', 'f', pages, { inode });
  file.usesHuge = true;
  return { ...bed, file };
}

/** Maps the whole object at a page number. */
function map({ machine, file }: Bed, task: Task, vpn: number, isShared = true): void {
  const flags = VM_READ | VM_WRITE | (isShared ? VM_SHARED : 0);
  machine.memory.mmap(task.space, vpn, file.sizePages, { flags, file, filePage: 0 }, task.cpu);
}

function blockAt({ machine: { tables } }: Bed, task: Task, vpn: number): number {
  const page = tables.walk(task.space.root, vpn);
  return page === NO_PAGE ? BLOCK_EMPTY : tables.block[page >> 9];
}

/** Pages of [vpn, vpn + pages) that are mapped. */
const mapped = ({ machine }: Bed, task: Task, vpn: number, pages: number): number =>
  Array.from({ length: pages }, (_, i) => frameAt(machine, task, vpn + i)).filter((pfn) => pfn !== 0).length;

function check({ machine }: Bed): void {
  machine.lru.drainAll();
  checkMachine(machine);
}

describe('tmpfs with huge=always', () => {
  it('K-H18: the first access to a block of the file allocates a huge page and maps it as a whole; the next process maps it', () => {
    const bed = bedWith('linux-6.12');
    const { machine, task } = bed;
    map(bed, task, 1024);
    machine.touch(task, 1030, false);
    expect([blockAt(bed, task, 1024), bed.file.cachedPages, task.space.rssShmem]).toEqual([BLOCK_WHOLE, 512, 512]);
    const child = machine.process.fork(task, task.cpu);
    expect(mapped(bed, child, 1024, 1536)).toBe(0);
    machine.touch(child, 1500, true);
    expect(blockAt(bed, child, 1024)).toBe(BLOCK_WHOLE);
    expect(frameAt(machine, child, 1024)).toBe(frameAt(machine, task, 1024));
    expect(['thp_file_alloc', 'thp_file_mapped'].map((name) => machine.counters.get(name as 'thp_file_alloc'))).toEqual(
      [1, 2],
    );
    check(bed);
    machine.process.exit(child);
    machine.process.exit(task);
    expect(bed.file.cachedPages).toBe(512);
    check(bed);
  });

  it('K-H18: for a mapping that cannot map it whole 6.1 allocates a huge page all the same, 6.12 small ones', () => {
    for (const [profile, cached] of [
      ['linux-6.1', 512],
      ['linux-6.12', 2],
    ] as const) {
      const bed = bedWith(profile);
      map(bed, bed.task, 1124);
      touchAll(bed.machine, bed.task, 1200, 2, true);
      expect([bed.file.cachedPages, mapped(bed, bed.task, 1124, 1536)]).toEqual([cached, 2]);
      expect(blockAt(bed, bed.task, 1200)).toBe(BLOCK_SMALL);
      check(bed);
    }
  });

  it('K-H18: interleave index is (index + inode) / 512 in 6.1, index / 512 + inode in 6.12', () => {
    for (const [profile, first] of [
      ['linux-6.1', 0], // 513 / 512 = 1 for the first block: node 1
      ['linux-6.12', 513],
    ] as const) {
      const bed = bedWith(profile, 1536, 513);
      const { machine, task, calls } = bed;
      map(bed, task, 1024);
      calls.policy.mbind(task, bytes(1024), bytes(1536), INTERLEAVE, [0, 1], MAXNODE, 0);
      for (const vpn of [1024, 1536, 2048]) machine.touch(task, vpn, true);
      const start = profile === 'linux-6.1' ? 1 : first;
      expect([1024, 1536, 2048].map((vpn) => nodeAt(machine, task, vpn))).toEqual(
        [0, 1, 2].map((i) => (start + i) % 2),
      );
    }
  });

  it('K-H18: a cut unmaps the block, and the next access maps it as a whole again', () => {
    const bed = bedWith('linux-6.12');
    const { machine, task } = bed;
    map(bed, task, 1024);
    touchAll(machine, task, 1024, 512, true);
    machine.memory.discard(task.space, 1030, 5, task.cpu);
    expect([blockAt(bed, task, 1024), mapped(bed, task, 1024, 512), bed.file.cachedPages]).toEqual([
      BLOCK_EMPTY,
      0,
      512,
    ]);
    machine.touch(task, 1100, false);
    expect(blockAt(bed, task, 1024)).toBe(BLOCK_WHOLE);
    check(bed);
  });

  it('K-H18: remove of a part breaks it up and frees the part; of all, it frees all', () => {
    const bed = bedWith('linux-6.12');
    const { machine, task, calls } = bed;
    map(bed, task, 1024);
    touchAll(machine, task, 1024, 1024, true);
    const free = machine.zones.free(task.node);
    expect(calls.advice.madvise(task, 1034, 10, 'remove')).toBe(0);
    expect([bed.file.cachedPages, machine.zones.free(task.node)]).toEqual([1014, free + 10]);
    machine.touch(task, 1034, true); // a small page: the block is not empty
    expect(bed.file.cachedPages).toBe(1015);
    expect(calls.advice.madvise(task, 1536, 512, 'remove')).toBe(0);
    expect([bed.file.cachedPages, machine.zones.free(task.node)]).toEqual([503, free + 521]);
    check(bed);
  });

  it('K-H18, K-H7: a write to a private mapping leaves the copied page alone mapped', () => {
    const bed = bedWith('linux-6.12');
    const { machine, task } = bed;
    map(bed, task, 1024, false);
    machine.touch(task, 1024, false);
    machine.touch(task, 1030, true);
    expect([mapped(bed, task, 1024, 512), task.space.rssAnon, task.space.rssShmem]).toEqual([1, 1, 0]);
    check(bed);
  });

  it('K-H18: calls that read and write find parts of it; an object whose last block is not complete has small pages there', () => {
    const bed = bedWith('linux-6.12', 1000);
    const { task, calls, file } = bed;
    expect([5, 6, 700].map((index) => calls.file.page(task, file, index, true))).toEqual([true, true, true]);
    expect(file.cachedPages).toBe(513);
    calls.file.truncate(task, file, 300 * 4096);
    expect(file.cachedPages).toBe(300);
    check(bed);
  });

  it('K-H18: without a huge page on the node small ones do', () => {
    const bed = bedWith('linux-6.12');
    bed.machine.zones.limitHuge(bed.task.node, 0);
    map(bed, bed.task, 1024);
    bed.machine.touch(bed.task, 1024, true);
    expect([bed.file.cachedPages, bed.machine.counters.get('thp_file_fallback')]).toEqual([1, 1]);
  });

  it('HP-55, K-S1: goes out to swap as small pages, by madvise and when memory is short, and comes back as such', () => {
    const bed = bedWith('linux-6.12', 1024);
    const { machine, task, calls, file } = bed;
    map(bed, task, 1024);
    touchAll(machine, task, 1024, 1024, true);
    expect(calls.advice.madvise(task, 1024, 512, 'pageout')).toBe(0);
    machine.meter.nowNs += 1e9;
    machine.block.completeDue();
    expect([mapped(bed, task, 1024, 512), machine.counters.get('pswpout')]).toEqual([0, 512]);
    machine.touch(task, 1024, false);
    expect([mapped(bed, task, 1024, 512), blockAt(bed, task, 1024)]).toEqual([1, BLOCK_SMALL]);
    check(bed);
    const hog = machine.process.newProcess(task.cpu);
    machine.memory.mmap(hog.space, 2048, 15_900, { flags: VM_READ | VM_WRITE }, hog.cpu);
    touchAll(machine, hog, 2048, 15_900, true);
    expect(file.cachedPages).toBeLessThan(513);
    touchAll(machine, task, 1024, 1024, false);
    check(bed);
  });

  it('K-H18, K-H10: mbind moves it as a whole, mapped in small pieces too', () => {
    const bed = bedWith('linux-6.1');
    const { machine, task, calls } = bed;
    map(bed, task, 1124);
    touchAll(machine, task, 1124, 512, true);
    expect(calls.policy.mbind(task, bytes(1124), bytes(512), BIND, [1], MAXNODE, MOVE)).toBe(0);
    expect([1124, 1635].map((vpn) => nodeAt(machine, task, vpn))).toEqual([1, 1]);
    expect(machine.counters.get('thp_migration_success')).toBe(1);
    check(bed);
  });
});

import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from '../../src/engine/index.js';
import { BLOCK_EMPTY, BLOCK_SMALL, BLOCK_WHOLE, BLOCK_ZERO } from '../../src/hardware/index.js';
import { VM_HUGEPAGE, VM_NOHUGEPAGE, VM_READ, VM_WRITE, type HugeSettings, type Task } from '../../src/mm/index.js';
import { NO_PAGE } from '../../src/units.js';
import { mapAnon, nodeAt, POLICIES, processOn, setPolicy, tinyMachine, touchAll } from '../support/tiny-machine.js';

// Huge pages: faults in empty blocks, writes, cuts and forks (K-H1, K-H2, K-H4..K-H8, HP-1, HP-20, HP-75).

function hugeMachine(thp: Partial<HugeSettings> = {}, profile = 'linux-6.12', nodes = 2): Machine {
  return tinyMachine({ nodes, framesPerNode: 8192, profile, thp });
}

/** How the block at a page number is mapped. */
function blockAt({ tables }: Machine, task: Task, vpn: number): number {
  const page = tables.walk(task.space.root, vpn);
  return page === NO_PAGE ? BLOCK_EMPTY : tables.block[page >> 9];
}

describe('a fault in an empty block', () => {
  it('X19, K-H1: an area of pages 100 to 1699 has huge pages at 512 and 1024 only', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 100, 1600);
    touchAll(machine, task, 100, 1600, true);
    expect([0, 512, 1024, 1536].map((vpn) => blockAt(machine, task, vpn))).toEqual([
      ...[BLOCK_SMALL, BLOCK_WHOLE, BLOCK_WHOLE, BLOCK_SMALL],
    ]);
    expect(machine.counters.get('thp_fault_alloc')).toBe(2);
    expect(task.minorFaults).toBe(2 + (512 - 100) + (1700 - 1536));
    expect(task.space.rssAnon).toBe(1600);
    checkMachine(machine);
  });

  it('K-H1, HP-20: a read maps the huge zero page, which is in no rss; without it a huge page', () => {
    for (const useZeroPage of [true, false]) {
      const machine = hugeMachine({ useZeroPage });
      const task = processOn(machine, 0);
      mapAnon(machine, task, 512, 1024);
      machine.touch(task, 600, false);
      machine.touch(task, 1100, false);
      expect(blockAt(machine, task, 600)).toBe(useZeroPage ? BLOCK_ZERO : BLOCK_WHOLE);
      expect(task.space.rssAnon).toBe(useZeroPage ? 0 : 1024);
      expect(machine.counters.get('thp_zero_page_alloc')).toBe(useZeroPage ? 1 : 0);
      checkMachine(machine);
    }
  });

  it('K-H1, HP-1: marks and settings decide', () => {
    const marks = { none: 0, hugepage: VM_HUGEPAGE, nohugepage: VM_NOHUGEPAGE };
    const got = (['never', 'madvise', 'always'] as const).map((enabled) =>
      Object.values(marks).map((mark) => {
        const machine = hugeMachine({ enabled });
        const task = processOn(machine, 0);
        machine.memory.mmap(task.space, 512, 512, { flags: VM_READ | VM_WRITE | mark }, task.cpu);
        machine.touch(task, 700, true);
        return blockAt(machine, task, 700) === BLOCK_WHOLE;
      }),
    );
    expect(got).toEqual([
      [false, false, false],
      [false, true, false],
      [true, true, false],
    ]);
  });

  it('K-H1: after a small page all others of the block are small, whatever changes', () => {
    const machine = hugeMachine({ enabled: 'never' });
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    machine.touch(task, 700, true);
    if (machine.huge !== null) machine.huge.settings.enabled = 'always';
    machine.memory.discard(task.space, 512, 512, task.cpu);
    machine.touch(task, 701, true);
    expect(blockAt(machine, task, 700)).toBe(BLOCK_SMALL);
    expect(task.space.rssAnon).toBe(1);
  });

  it('K-H2: dontneed of a whole block leaves it empty, and its frames free', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    const before = machine.zones.free(task.node);
    machine.touch(task, 700, true);
    machine.memory.discard(task.space, 512, 512, task.cpu);
    expect(blockAt(machine, task, 700)).toBe(BLOCK_EMPTY);
    expect(machine.zones.free(task.node)).toBe(before);
    machine.touch(task, 701, true);
    expect(blockAt(machine, task, 700)).toBe(BLOCK_WHOLE);
    checkMachine(machine);
  });

  it('K-H4: interleaving counts blocks, and an area that begins inside one counts from that', () => {
    for (const [start, nodes] of [
      [1024, [0, 1, 0]],
      [1000, [1, 0, 1]],
    ] as const) {
      const machine = hugeMachine();
      const task = processOn(machine, 0);
      setPolicy(machine, task, POLICIES.interleave, 0, 1);
      mapAnon(machine, task, start, 2048);
      expect([1024, 1536, 2048].map((vpn) => (machine.touch(task, vpn, true), nodeAt(machine, task, vpn)))).toEqual(
        nodes,
      );
    }
  });

  it('K-H5: without effort small pages nearby, with effort huge pages far away', () => {
    for (const [defrag, far] of [
      ['madvise', false],
      ['always', true],
    ] as const) {
      const machine = hugeMachine({ defrag });
      const task = processOn(machine, 0);
      machine.zones.limitHuge(task.node, 0);
      mapAnon(machine, task, 512, 512);
      machine.touch(task, 700, true);
      expect(nodeAt(machine, task, 700)).toBe(far ? 1 : 0);
      expect(blockAt(machine, task, 700)).toBe(far ? BLOCK_WHOLE : BLOCK_SMALL);
      expect(machine.counters.get('thp_fault_fallback')).toBe(far ? 0 : 1);
    }
  });
});

describe('a block that is mapped as a whole', () => {
  it('K-H6: a write to the huge zero page brings one small page', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    machine.touch(task, 600, false);
    machine.touch(task, 700, true);
    expect(blockAt(machine, task, 700)).toBe(BLOCK_SMALL);
    expect(task.space.rssAnon).toBe(1);
    checkMachine(machine);
  });

  it('X20, K-H7: munmap of a part leaves one huge page in small pieces, and its frames in use', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    touchAll(machine, task, 512, 512, true);
    const free = machine.zones.free(task.node);
    machine.memory.munmap(task.space, 600, 100, task.cpu);
    expect(machine.counters.get('thp_split_pmd')).toBeGreaterThan(0);
    expect(machine.counters.get('thp_deferred_split_page')).toBe(1);
    expect(task.space.rssAnon).toBe(412);
    expect(machine.zones.free(task.node)).toBe(free);
    checkMachine(machine);
  });

  it('K-H8: after a fork the writer alone goes to small pieces and copies one; a part once shared is copied for ever (6.1: but the last)', () => {
    for (const profile of ['linux-6.1', 'linux-6.12']) {
      const machine = hugeMachine({}, profile);
      const task = processOn(machine, 0);
      mapAnon(machine, task, 512, 512);
      touchAll(machine, task, 512, 512, true);
      const child = machine.process.fork(task, task.cpu);
      machine.touch(child, 700, true);
      machine.lru.drainAll();
      expect([blockAt(machine, task, 700), blockAt(machine, child, 700)]).toEqual([BLOCK_WHOLE, BLOCK_SMALL]);
      expect(machine.counters.get('fault_cow')).toBe(1);
      checkMachine(machine);
      machine.process.exit(task);
      machine.touch(child, 701, true);
      expect(machine.counters.get('fault_cow')).toBe(2);
      machine.memory.discard(child.space, 512, 511, child.cpu);
      machine.touch(child, 1023, true);
      expect(machine.counters.get('fault_cow')).toBe(profile === 'linux-6.1' ? 2 : 3);
      machine.lru.drainAll();
      checkMachine(machine);
    }
  });

  it('K-H8: when the child has gone, the parent writes in place', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    machine.touch(task, 700, true);
    machine.process.exit(machine.process.fork(task, task.cpu));
    machine.touch(task, 800, true);
    expect(blockAt(machine, task, 700)).toBe(BLOCK_WHOLE);
    expect(machine.counters.get('fault_write_in_place')).toBe(1);
    checkMachine(machine);
  });

  it('HP-75: has one TLB entry', () => {
    const machine = hugeMachine();
    const task = processOn(machine, 0);
    mapAnon(machine, task, 512, 512);
    touchAll(machine, task, 512, 512, true);
    expect(machine.counters.get('tlb_miss')).toBeLessThanOrEqual(2);
    machine.memory.discard(task.space, 512, 1, task.cpu);
    checkMachine(machine);
  });
});

describe('free runs of 512 frames', () => {
  it('come back when all their frames are free, and are broken up when only they are left', () => {
    const machine = hugeMachine({}, 'linux-6.12', 1);
    const task = processOn(machine, 0);
    const all = machine.zones.free(task.node);
    mapAnon(machine, task, 512, 7680);
    touchAll(machine, task, 512, 7680, true);
    machine.memory.munmap(task.space, 512, 7680, task.cpu);
    if (machine.huge !== null) machine.huge.settings.enabled = 'never';
    mapAnon(machine, task, 512, 7680);
    touchAll(machine, task, 512, 7680, true);
    machine.memory.munmap(task.space, 512, 7680, task.cpu);
    machine.lru.drainAll();
    expect(machine.zones.free(task.node)).toBe(all);
    checkMachine(machine);
    if (machine.huge !== null) machine.huge.settings.enabled = 'always';
    const before = machine.counters.get('thp_fault_alloc');
    mapAnon(machine, task, 512, 7168);
    touchAll(machine, task, 512, 7168, true);
    expect(machine.counters.get('thp_fault_alloc') - before).toBe(14);
    checkMachine(machine);
  });
});

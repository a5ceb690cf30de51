import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { BLOCK_SMALL, BLOCK_WHOLE, PTE_YOUNG } from '../../src/hardware/index.js';
import type { Task } from '../../src/mm/index.js';
import { EAGAIN, EINVAL, ENOMEM } from '../../src/errors.js';
import { callsBed, type CallsBed } from '../support/calls.js';
import { frameAt, mapAnon, nodeAt, touchAll } from '../support/tiny-machine.js';

// Small pages that become huge ones: madvise(COLLAPSE) (K-H16) and khugepaged (HP-65, HP-66).

const SECOND = 1e9;

/** A machine on which faults bring small pages, with `pages` of them written from page number 512 on. */
function smallPages(pages: number, framesPerNode = 8192, nodes = 2): CallsBed {
  const bed = callsBed({ nodes, framesPerNode, profile: 'linux-6.12', thp: { enabled: 'never' }, writesAtOnce: true });
  mapAnon(bed.machine, bed.task, 512, pages);
  return bed;
}

function blockAt({ machine: { tables } }: CallsBed, task: Task, vpn: number): number {
  return tables.block[tables.walk(task.space.root, vpn) >> 9];
}

/** Touches pages with the task on that node. */
function writeOn({ machine, task }: CallsBed, node: 0 | 1, vpn: number, pages: number): void {
  machine.process.moveTask(task, machine.topology.cpusOf(machine.topology.allNodes()[node])[0]);
  touchAll(machine, task, vpn, pages, true);
}

/** One round of khugepaged, which has been told of the process. @returns blocks that are huge pages now */
function oneRound({ machine, calls, task }: CallsBed): number {
  calls.sysctl('transparent_hugepage/enabled', 'always');
  machine.huge?.see(task.space);
  return machine.khugepaged?.round() ?? -1;
}

describe('madvise(COLLAPSE)', () => {
  it('K-H16, HP-66: takes the huge page on the node that holds most pages, the lowest on a tie', () => {
    for (const [first, second, node] of [
      [200, 312, 1],
      [256, 256, 0],
    ] as const) {
      const bed = smallPages(512);
      writeOn(bed, 0, 512, first);
      writeOn(bed, 1, 512 + first, second);
      const free = bed.machine.zones.free(bed.machine.topology.allNodes()[1 - node]);
      expect(bed.calls.advice.madvise(bed.task, 512, 512, 'collapse')).toBe(0);
      expect(blockAt(bed, bed.task, 512)).toBe(BLOCK_WHOLE);
      expect([512, 1023].map((vpn) => nodeAt(bed.machine, bed.task, vpn))).toEqual([node, node]);
      expect(bed.machine.zones.free(bed.machine.topology.allNodes()[1 - node])).toBe(
        free + (node === 1 ? first : second),
      );
      expect(bed.task.space.rssAnon).toBe(512);
      checkMachine(bed.machine);
    }
  });

  it('K-H16, INV-13: keeps what the pages held', () => {
    const bed = smallPages(512);
    const { machine, task } = bed;
    touchAll(machine, task, 600, 100, true);
    for (let vpn = 600; vpn < 700; vpn++) machine.contents?.set(frameAt(machine, task, vpn), vpn);
    expect(bed.calls.advice.madvise(task, 512, 512, 'collapse')).toBe(0);
    const stamps = [512, 600, 699, 700].map((vpn) => machine.contents?.get(frameAt(machine, task, vpn)));
    expect(stamps).toEqual([0, 600, 699, 0]);
  });

  it('K-H16: an empty block ends the call, one without a writable page does not', () => {
    const bed = smallPages(2048);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, 1, false); // the zero page alone
    touchAll(machine, task, 1024, 1, true);
    touchAll(machine, task, 2048, 1, true); // behind an empty block
    expect(calls.advice.madvise(task, 512, 2048, 'collapse')).toBe(-EINVAL);
    expect([512, 1024, 2048].map((vpn) => blockAt(bed, task, vpn))).toEqual([BLOCK_SMALL, BLOCK_WHOLE, BLOCK_SMALL]);
  });

  it('K-H16: only that node is asked for memory; a page that somebody holds is EAGAIN', () => {
    const bed = smallPages(512);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, 512, true);
    machine.zones.limitHuge(task.node, 0);
    expect(calls.advice.madvise(task, 512, 512, 'collapse')).toBe(-ENOMEM);
    expect(machine.counters.get('thp_collapse_alloc_failed')).toBe(1);
    machine.zones.limitHuge(task.node, null);
    machine.frames.get(frameAt(machine, task, 700));
    expect(calls.advice.madvise(task, 512, 512, 'collapse')).toBe(-EAGAIN);
    machine.frames.drop(frameAt(machine, task, 700));
    expect(calls.advice.madvise(task, 512, 512, 'collapse')).toBe(0);
  });

  it('K-H16: ranges without a whole block, areas marked nohugepage, machines without huge pages', () => {
    const bed = smallPages(1024);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, 1024, true);
    const errno = (vpn: number, pages: number) => calls.advice.madvise(task, vpn, pages, 'collapse');
    expect([errno(600, 10), errno(512, 10), errno(1000, 24), errno(600, 424)]).toEqual([-EINVAL, 0, 0, 0]);
    calls.advice.madvise(task, 512, 1024, 'nohugepage');
    expect(errno(512, 512)).toBe(-EINVAL);
    const without = callsBed({ nodes: 1, framesPerNode: 2048, profile: 'linux-6.12' });
    mapAnon(without.machine, without.task, 512, 512);
    touchAll(without.machine, without.task, 512, 512, true);
    expect(without.calls.advice.madvise(without.task, 512, 512, 'collapse')).toBe(-EINVAL);
  });
});

describe('khugepaged', () => {
  it('X22: needs 64 rounds for 1 GiB in small pieces, and has done with them 640 s after the start', () => {
    const GIB = 2 ** 18;
    const bed = smallPages(GIB, 2 ** 19 + 65536, 1);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, GIB, true);
    calls.sysctl('transparent_hugepage/enabled', 'always');
    calls.advice.madvise(task, 512, GIB, 'hugepage');
    const whole = () => machine.counters.get('thp_collapse_alloc');
    const now = machine.meter.nowNs;
    machine.khugepaged?.runUntil(9 * SECOND);
    expect(whole()).toBe(0);
    machine.khugepaged?.runUntil(10 * SECOND);
    expect(whole()).toBe(8);
    machine.khugepaged?.runUntil(639 * SECOND);
    expect(whole()).toBe(504);
    machine.khugepaged?.runUntil(640 * SECOND);
    expect(whole()).toBe(512);
    machine.khugepaged?.runUntil(2000 * SECOND);
    expect(whole()).toBe(512);
    expect(machine.meter.nowNs).toBe(now); // it has a CPU and a clock of its own
  });

  it('X23: 300 pieces on node 1, 150 on node 0, 62 missing, one of them writable: a huge page on node 1', () => {
    const bed = smallPages(512);
    const { machine, task } = bed;
    writeOn(bed, 1, 512, 300);
    writeOn(bed, 0, 812, 150);
    machine.process.exit(machine.process.fork(task, task.cpu)); // every page may be written, none without a fault
    expect(oneRound(bed)).toBe(0);
    machine.touch(task, 600, true);
    expect(oneRound(bed)).toBe(1);
    expect(nodeAt(machine, task, 1023)).toBe(1);
    checkMachine(machine);
  });

  it.each([
    [64, 255, 0],
    [64, 256, 1],
    [65, 256, 0],
  ])('X23: %i pieces in swap and %i referenced: %i', (swapped, referenced, collapsed) => {
    const bed = smallPages(512);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, 512, true);
    machine.lru.drainAll();
    expect(calls.advice.madvise(task, 512, swapped, 'pageout')).toBe(0);
    for (let vpn = 512 + swapped + referenced; vpn < 1024; vpn++) {
      machine.tables.bits[machine.tables.walk(task.space.root, vpn)] &= ~PTE_YOUNG;
    }
    expect(task.space.swapEntries).toBe(swapped);
    expect(oneRound(bed)).toBe(collapsed);
    expect(task.space.swapEntries).toBe(collapsed === 1 ? 0 : swapped);
    expect(machine.counters.get('thp_scan_exceed_swap_pte')).toBe(swapped > 64 ? 1 : 0);
    machine.lru.drainAll();
    checkMachine(machine);
  });

  it('HP-65: goes on where it stopped, wraps round once, and forgets processes that have ended', () => {
    const bed = smallPages(512 * 6);
    const { machine, task, calls } = bed;
    touchAll(machine, task, 512, 512 * 6, true);
    calls.sysctl('transparent_hugepage/enabled', 'always');
    const child = machine.process.fork(task, task.cpu);
    calls.advice.madvise(child, 512, 512 * 6, 'hugepage');
    calls.advice.madvise(task, 512, 512 * 6, 'hugepage');
    machine.process.exit(child);
    touchAll(machine, task, 512, 512 * 6, true);
    expect(machine.khugepaged?.round()).toBe(6);
    expect(machine.huge?.seenSpaces).toEqual([task.space]);
  });

  it('HP-66: without memory it pauses for 60 s once, and ends the round the second time', () => {
    const bed = smallPages(2048);
    const { machine, task } = bed;
    touchAll(machine, task, 512, 2048, true);
    machine.zones.limitHuge(task.node, 0);
    bed.calls.sysctl('transparent_hugepage/enabled', 'always');
    machine.huge?.see(task.space);
    machine.khugepaged?.runUntil(10 * SECOND);
    expect(machine.counters.get('thp_collapse_alloc_failed')).toBe(2);
    expect(machine.khugepaged?.nextNs()).toBe(80 * SECOND);
  });
});

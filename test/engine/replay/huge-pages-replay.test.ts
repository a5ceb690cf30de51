import { describe, expect, it } from 'vitest';
import { pathOf, replay } from './replays.js';

// thp=always in runs over the trace of a real program, whose areas lie beyond page number 2^32.

const run = (word: string) => replay(pathOf('stream-serial-8t'), word, { tiny: { nodes: 2 } });

describe('thp=always', () => {
  it('fills the nine whole blocks of the trace with huge pages, and the rest of it with small ones', async () => {
    const [never, always] = [await run('default'), await run('default+thp=always')];
    const anon = never.counters.fault_anon - always.counters.fault_anon;
    expect([always.counters.fault_huge, anon, always.counters.thp_fault_alloc]).toEqual([9, 9 * 512, 9]);
    expect(always.pagesPerNode.reduce((a, b) => a + b)).toBe(never.pagesPerNode.reduce((a, b) => a + b));
    expect(never.assumptions.join()).toContain('9 whole blocks of 2 MiB with 74.9 % of the private pages');
    expect(always.assumptions.join()).toContain('thp=always, defrag=madvise): 9 faults took one.');
  });

  it('HP-75: a huge page is in the TLB as one entry, so hardly an access walks', async () => {
    const [never, always] = [await run('default'), await run('default+thp=always')];
    expect(always.counters.tlb_miss).toBeLessThan(never.counters.tlb_miss / 10);
    expect(always.counters.tlb_miss_huge).toBeGreaterThan(0);
    expect(always.whole.accessNs).toBeLessThan(never.whole.accessNs);
  });

  it('zeroes every page of a huge page: faults are fewer, and their time is not', async () => {
    const [never, always] = [await run('default'), await run('default+thp=always')];
    const faults = (counters: Readonly<Record<string, number>>) => counters.pgfault;
    expect(faults(always.counters)).toBeLessThan(faults(never.counters) / 3);
    expect(always.whole.faultNs).toBeGreaterThan(never.whole.faultNs / 10);
    expect(always.whole.faultNs).toBeLessThan(never.whole.faultNs);
  });

  it('K-H4: interleaving goes by blocks, so two nodes do not get equally many pages', async () => {
    const [never, always] = [await run('interleave=all'), await run('interleave=all+thp=always')];
    expect(Math.abs(never.pagesPerNode[0] - never.pagesPerNode[1])).toBeLessThan(4);
    expect(Math.abs(always.pagesPerNode[0] - always.pagesPerNode[1])).toBeGreaterThan(400);
  });

  it.each([
    ['move@threads', 'interleave=all'],
    ['migrate=0:1@50%', 'default'],
    ['cpuset=1@50%', 'default'],
    ['offline=0@50%', 'default'],
  ])('HP-60: %s moves huge pages as a whole', async (action, policy) => {
    const { outcome, counters, actions } = await run(`default+thp=always+${action}`);
    expect(outcome).toEqual({ kind: 'done' });
    if (policy === 'default') expect(counters.thp_migration_success).toBe(9);
    expect(actions[0].moved?.failed ?? 0).toBe(0);
    const other = await run(`${policy}+thp=always+${action}`);
    expect(other.outcome).toEqual({ kind: 'done' });
  });

  it('thp=madvise has none, because a trace marks no region, and says so', async () => {
    const { counters, assumptions } = await run('default+thp=madvise');
    expect(counters.thp_fault_alloc ?? 0).toBe(0);
    expect(assumptions.join()).toContain('a trace does not say where, so there were none');
  });

  it('is refused where the kernel has none', async () => {
    await expect(run('default+thp=always+profile=swap-2006')).rejects.toThrow('which has no transparent huge pages');
  });
});

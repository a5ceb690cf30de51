import { beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/stats/index.js';
import { pathOf, replay } from './replays.js';

const QUICK = 'scan-delay=1:scan-min=1:scan-max=10';
const run = (word: string) => replay(pathOf('mini-stream-4t'), word, { options: { repeat: { times: 40 } } });
/** Of the pages, those that are not on node 0, where one thread put them all. */
const moved = ({ pagesPerNode }: RunResult) => pagesPerNode.slice(1).reduce((sum, pages) => sum + pages, 0);

describe('NUMA balancing in a replay', () => {
  let plain: RunResult;
  let balanced: RunResult;
  beforeAll(async () => {
    plain = await run('default');
    balanced = await run(`default+balancing=normal:${QUICK}+profile=linux-6.12`);
  }, 60_000);

  it('marks, faults and moves pages to those who use them', () => {
    const { counters } = balanced;
    expect(counters.numa_pte_updates).toBeGreaterThan(0);
    expect(counters.numa_hint_faults).toBeGreaterThan(0);
    expect(counters.numa_hint_faults).toBeLessThanOrEqual(counters.numa_pte_updates);
    expect(counters.numa_pages_migrated).toBe(counters.pgmigrate_success);
    expect(counters.numa_pages_migrated).toBeGreaterThan(0);
    expect(moved(balanced)).toBeGreaterThan(moved(plain));
    expect(balanced.attainable).toBe(true);
  });

  it('moves nothing under an explicit policy, and within its nodes with the flag (MP-72)', async () => {
    const bound = await run(`bind=0-3+balancing=normal:${QUICK}`);
    expect(bound.counters.numa_pte_updates ?? 0).toBe(0);
    const flagged = await run(`bind=0-3:numa_balancing+balancing=normal:${QUICK}`);
    expect(flagged.counters.numa_pages_migrated).toBeGreaterThan(0);
  });

  it('moves nothing in the first second (NB-3)', async () => {
    const slow = await run('default+balancing=normal');
    expect(slow.counters.numa_pte_updates ?? 0).toBe(0);
  });

  it('says which balancers there are, and that a kernel of 2006 has none', async () => {
    await expect(run('default+balancing=nomal')).rejects.toThrow('did you mean "normal"?');
    await expect(run('default+balancing=normal+profile=mof-2006')).rejects.toThrow('has no NUMA balancing');
    await expect(run('default+balancing=normal:scan-siz=3')).rejects.toThrow('did you mean "scan-size"?');
  });
});

import { describe, expect, it } from 'vitest';
import { failed, lazyAction, lazyRun, result, timed, phase } from './results.js';
import { verdictOf, verdictText } from '../../src/report/index.js';
import { PROFILES } from '../../src/run/index.js';
import type { RunResult } from '../../src/stats/run-result.js';

const COSTS = { hitNs: 1, mlp: 2 };
const bestOf = (...results: RunResult[]) => verdictOf(results, COSTS).best;
const meansOf = (run: string, part: Partial<RunResult> = {}) => verdictOf([result(run, part)], COSTS).realMeans;

describe('the best run', () => {
  it('is the fastest over the region of interest', () => {
    expect(bestOf(timed('default', 10), timed('interleave=all', 8), timed('bind=0', 9))).toBe('interleave=all');
  });

  it('is never one in which a hook moved a page', () => {
    const verdict = verdictOf([timed('default', 10), lazyRun(2)], COSTS);
    expect(verdict.best).toBe('default');
    expect(verdict.excluded.map(({ run, kind }) => [run, kind])).toEqual([['default+lazy@threads', 'hooks']]);
  });

  it('is never one whose pages a lazy action unmapped, though none moved', () => {
    const unmapped = timed('default+lazy@threads', 2, 0, { actions: [lazyAction] });
    expect(bestOf(timed('default', 10), unmapped)).toBe('default');
    const neverCame = timed('default+lazy@threads', 2, 0, { actions: [{ ...lazyAction, row: null }] });
    expect(bestOf(timed('default', 10), neverCame)).toBe('default+lazy@threads');
  });

  it('can have its hooks on as long as they moved nothing', () => {
    expect(bestOf(timed('default', 10), timed('default+hooks=on', 9))).toBe('default+hooks=on');
  });

  it.each(['stay', 'oracle'])('is never %s', (run) => {
    expect(bestOf(timed('default', 10), timed(run, 1, 0, { policyAttainable: false, attainable: false }))).toBe(
      'default',
    );
  });

  it.each(PROFILES.filter(({ isHistory }) => isHistory).map(({ name }) => name))('is never one under %s', (name) => {
    const old = `default+profile=${name}`;
    const verdict = verdictOf([timed('default', 10), timed(old, 1)], COSTS);
    expect([verdict.best, verdict.ties]).toEqual(['default', []]);
    expect(verdictText(verdict)).toContain(
      `Cannot win: ${old} (1.00 ms, 90.00 % less than the best): profile ${name} is a kernel of the past, to compare with.`,
    );
  });

  it("may be one under today's kernels: four profiles are history", () => {
    expect(PROFILES.filter(({ isHistory }) => isHistory).map(({ name }) => name)).toEqual([
      'mof-2006',
      'direct-2005',
      'swap-2006',
      'linux-5.15',
    ]);
    expect(bestOf(timed('default', 10), timed('default+profile=linux-6.1', 9))).toBe('default+profile=linux-6.1');
  });

  it('is never one that failed, ran out of memory or got SIGBUS', () => {
    const verdict = verdictOf(
      [
        failed('./mine.ts', 'policy ./mine.ts: Error: no'),
        timed('bind=0', 1, 0, { outcome: { kind: 'oom', row: 7, thread: 3, nodes: '0' } }),
        timed('bind=1', 1, 0, { outcome: { kind: 'sigbus', row: 8, thread: 2 } }),
        timed('default', 10),
      ],
      COSTS,
    );
    expect(verdict.best).toBe('default');
    expect(verdict.excluded.map(({ why }) => why)).toEqual([
      'failed: policy ./mine.ts: Error: no',
      'out of memory at row 7, thread 3, nodes 0',
      'SIGBUS at row 8, thread 2',
    ]);
  });

  it('is none when nobody can have any', () => {
    const verdict = verdictOf([lazyRun(2), failed('default', 'x')], COSTS);
    expect(verdict.best).toBeNull();
    expect(verdictText(verdict)).toContain('None of these runs is one that a user can have.');
  });

  it('comes with those within 1 % of it as equals', () => {
    const verdict = verdictOf([timed('default', 10.09), timed('interleave=all', 10), timed('bind=all', 10.11)], COSTS);
    expect(verdict.ties).toEqual(['default']);
    expect(verdictText(verdict)).toContain('As good, within 1 %: default. Changing nothing is as good.');
  });
});

describe('the baseline', () => {
  it('is plain default, however it is written, else the first run that was finished', () => {
    expect(verdictOf([timed('bind=0', 8), timed('default+swap=on', 10)], COSTS)).toMatchObject({
      baseline: 'default+swap=on',
      ratio: 0.8,
    });
    expect(verdictOf([failed('default', 'x'), timed('default+cpus=pack', 8), timed('bind=0', 4)], COSTS)).toMatchObject(
      {
        baseline: 'default+cpus=pack',
        ratio: 0.5,
      },
    );
  });
});

describe('how to have the best run on a real machine', () => {
  const NUMACTL: readonly (readonly [string, string])[] = [
    ['interleave=all', 'numactl --interleave=all -- PROGRAM'],
    ['interleave=!1', 'numactl --interleave=!1 -- PROGRAM'],
    ['bind=0-1', 'numactl --membind=0-1 -- PROGRAM'],
    ['preferred=+1', 'numactl --preferred=+1 -- PROGRAM'],
    ['preferred', 'numactl --localalloc -- PROGRAM'],
    ['default', 'numactl --localalloc -- PROGRAM    (or nothing at all: it is what the kernel does by itself)'],
    ['weighted-interleave=0-1', 'numactl --weighted-interleave=0-1 -- PROGRAM'],
    ['preferred-many=0-1', 'numactl --preferred-many=0-1 -- PROGRAM'],
  ];
  it.each(NUMACTL)('%s is %s', (run, line) => {
    expect(meansOf(run)).toEqual([line]);
  });

  it('names one node for preferred, the first of the set', () => {
    expect(meansOf('preferred=all', { nodes: '1-3' })).toEqual(['numactl --preferred=1 -- PROGRAM']);
  });

  it('says what numactl has no option for', () => {
    expect(meansOf('bind=0:static')[0]).toContain('set_mempolicy(MPOL_BIND | MPOL_F_STATIC_NODES, nodes 0)');
    expect(meansOf('./mine.ts=0')[0]).toContain('"./mine.ts" is a policy of your own');
  });

  it('gives mbind for the policy of a region, affinity for placed threads', () => {
    expect(meansOf('default+vma=[heap]:interleave=0-1+cpus=0,2').slice(1)).toEqual([
      'in PROGRAM, before the first touch of region "[heap]": mbind(start, length, MPOL_INTERLEAVE, nodes 0-1), in libnuma numa_interleave_memory()',
      'threads: GOMP_CPU_AFFINITY=0,2, or pthread_setaffinity_np() in this order',
    ]);
  });
});

describe('actions of the best run', () => {
  const came = { ...lazyAction, action: 'migrate=0:1@50%', pagesTouched: 0 };
  const run = 'default+migrate=0:1@50%';

  it('are not recommended if every call was refused', () => {
    const refused = { ...came, errno: 'EINVAL' };
    expect(meansOf(run, { actions: [refused, { ...refused, process: 1 }] })[1]).toBe(
      'without migrate=0:1@50%: its call is refused (EINVAL) and moves nothing',
    );
  });

  it('are recommended if one of them moved something, or none was refused', () => {
    const refused = { ...came, errno: 'EINVAL' };
    for (const actions of [[refused, { ...came, process: 1, pagesTouched: 3 }], [came], []]) {
      expect(meansOf(run, { actions })[1]).toBe('for migrate=0:1@50%: migratepages PID 0 1');
    }
  });

  it.each(['task=all:1@50%', 'offline=1@50%'])('%s is no choice of a program', (action) => {
    expect(meansOf(`default+${action}`)[1]).toContain(`${action} happens to a program and is no choice of it: `);
  });
});

describe('the honest part', () => {
  it('says that no mainline kernel accepts LAZY, and what comes nearest', () => {
    const text = verdictText(verdictOf([timed('default', 10), lazyRun(2)], COSTS));
    expect(text).toContain(
      'Cannot win: default+lazy@threads (2.00 ms, 80.00 % less than the best): a hook moved pages at their faults',
    );
    expect(text).toContain('No mainline kernel accepts MPOL_MF_LAZY');
    for (const means of ['first touch', 'mbind(…, MPOL_MF_MOVE)', 'NUMA balancing']) expect(text).toContain(means);
    expect(verdictText(verdictOf([timed('default', 10)], COSTS))).not.toContain('MPOL_MF_LAZY');
  });

  it('does not speak of LAZY where only hooks were on, or where pages followed a task by themselves', () => {
    const migration = { tried: 5, done: 5, failed: {} };
    const moved = (run: string) =>
      timed(run, 5, 0, { attainable: false, whole: phase({ migration }), region: phase({ migration, timeNs: 5e6 }) });
    const text = (run: string) => verdictText(verdictOf([timed('default', 10), moved(run)], COSTS));
    expect(text('default+hooks=on')).toContain(
      'No mainline kernel moves pages at the faults of those who use them. The nearest real means:',
    );
    expect(text('default+hooks=on')).not.toContain('LAZY');
    expect(text('default+automigrate=direct')).toContain(
      'Automatic migration was never merged. The nearest real means:',
    );
    expect(text('default+automigrate=direct')).not.toContain('LAZY');
  });

  it('gives the real means of the actions that move pages', () => {
    expect(meansOf('bind=1+move@50%+migrate=0:1+swapout+cpuset=1').slice(1)).toEqual([
      'in PROGRAM, for move@50%: mbind(start, length, MPOL_BIND, …, MPOL_MF_MOVE) on each range',
      'for migrate=0:1: migratepages PID 0 1',
      'for swapout: process_madvise(PIDFD, …, MADV_PAGEOUT) by another process',
      'for cpuset=1: cpuset.mems=1 of its control group, cpuset.memory_migrate=1 first (cgroup 1; cgroup 2 always moves pages)',
    ]);
  });

  it('says how far the best is from the oracle, where it ran', () => {
    const oracle = timed('oracle', 5, 0.125, { policyAttainable: false, attainable: false });
    expect(verdictText(verdictOf([timed('default', 10), oracle], COSTS))).toContain(
      'Best static placement (oracle): 5.00 ms, 12.50 % of misses remote. The best run takes 2.00 times that.',
    );
  });

  it('lists each assumption once, with its runs where only some made it', () => {
    expect(verdictOf([timed('default', 10), lazyRun(2), failed('bind=0', 'x')], COSTS).assumptions).toEqual([
      { text: 'a hit costs 1 ns', runs: null },
      { text: 'page copies at 5 GB/s', runs: ['default'] },
      { text: 'lazy needs swap', runs: ['default+lazy@threads'] },
    ]);
  });

  it('says over which range of the cost assumptions the ranking holds', () => {
    // At --mlp 2 the misses of `bind=0` cost 4 of 10 ms; its faults make it lose once misses are cheap enough.
    const few = result('bind=0', { region: phase({ timeNs: 10e6, accessNs: 5e6, faultNs: 5e6 }) });
    const many = result('default', { region: phase({ timeNs: 11e6, accessNs: 10.9e6, faultNs: 0.1e6 }) });
    const { best, holds } = verdictOf([many, few], COSTS);
    expect(best).toBe('bind=0');
    expect(holds).toEqual({ mlp: { from: 1, until: 2, isWhole: false }, hitNs: { from: 0, until: 10, isWhole: true } });
    expect(verdictOf([few], COSTS).holds).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { replayTrace } from '../../src/engine/index.js';
import { constantsOf } from '../../src/sensitivity/constants.js';
import type { Sensitivity } from '../../src/sensitivity/index.js';
import { temporaryDirectory } from '../support/tmp-dir.js';
import { requestsFor, study, writeTwoReaders } from './studies.js';

const dir = await temporaryDirectory();
const trace = await writeTwoReaders(dir);

const changesOf = ({ constants }: Sensitivity) =>
  constants.flatMap(({ name, changes }) => changes.map((change) => ({ name, ...change })));

/**
 * By hand, in ns, r the ratio of latencies, h a hit, s the misses by those of the trace, all else as used (1.6, 1, 1). The region
 * ends with the slower thread:
 *
 *   bind=0: thread 1, 4,000 h + 2,000 s · 100 r, and thread 0, 174,000 h + 1,000 s · 100
 *   bind=1: thread 0, 174,000 h + 1,000 s · 100 r, and thread 1, 4,000 h + 2,000 s · 100
 *
 * where (1 - s) of the misses are hits. With the values used bind=0 takes 324,000 and bind=1 334,000.
 */
describe('the ranking of two runs that were worked out by hand', () => {
  const studied = study(requestsFor(trace, 'bind=0', 'bind=1'));

  it('takes as long as it must', async () => {
    const { rankings, constants } = await studied;
    expect(rankings).toEqual([{ of: 'attainable', leader: 'bind=0', runs: ['bind=0', 'bind=1'] }]);
    const ratio = constants.find(({ name }) => name === 'remote / local latency');
    expect([ratio?.from, ratio?.used, ratio?.until].map((value) => value?.toFixed(6))).toEqual([
      '1.500000',
      '1.600000',
      '1.900000',
    ]);
    const times = ratio?.tried.map(({ times: at }) => at.map(({ timeNs }) => Math.round(timeNs ?? 0)));
    expect(times).toEqual([
      [304_000, 324_000],
      [384_000, 364_000],
    ]);
  });

  it('changes at the values that were worked out, and nowhere else', async () => {
    const changes = changesOf(await studied);
    const found = changes.map(({ name, when, leader, to }) => [name, when, leader, to]);
    expect(found).toEqual([
      ['misses', 'above', 'bind=0', 'bind=1'],
      ['--hit-ns', 'below', 'bind=0', 'bind=1'],
      ['remote / local latency', 'above', 'bind=0', 'bind=1'],
    ]);
    expect(changes[0].at).toBeCloseTo(169 / 159, 2);
    expect(changes[1].at).toBeCloseTo(160 / 170, 3);
    expect(changes[2].at).toBeCloseTo(1.7, 3);
  });

  it('is what it was on one side of that value, and another on the other', async () => {
    for (const { name, at } of changesOf(await studied)) {
      const requests = requestsFor(trace, 'bind=0', 'bind=1');
      const constant = constantsOf(requests[0]).find((each) => each.name === name)!;
      const lead = async (value: number) => {
        const [first, second] = await Promise.all(
          requests.map((request) => replayTrace(constant.vary(request, value), () => undefined)),
        );
        return second.region.timeNs - first.region.timeNs;
      };
      expect((await lead(at * 0.98)) * (await lead(at * 1.02)), name).toBeLessThan(0);
    }
  });

  it('names constants that enter no run, and why', async () => {
    const { notVaried, constants } = await studied;
    expect(notVaried).toContainEqual({ name: 'migration, per page', why: 'no run moves pages' });
    expect(constants.map(({ name }) => name)).not.toContain('migration, per page');
  });
});

describe('a ranking that no constant can change', () => {
  it('is reported without changes', async () => {
    const spread = await study(requestsFor(trace, 'default', 'bind=0+cpus=0', 'bind=1+cpus=0'));
    expect(changesOf(spread).filter(({ to }) => to === 'bind=1+cpus=0')).toEqual([]);
    const packed = await study(requestsFor(trace, 'bind=0+cpus=0', 'bind=1+cpus=0'));
    expect(packed.constants.length).toBeGreaterThan(6);
    expect(changesOf(packed)).toEqual([]);
  });

  it('takes two runs: one alone, or one and a yardstick, are not varied', async () => {
    for (const runs of [['default'], ['default', 'oracle']]) {
      expect(await study(requestsFor(trace, ...runs))).toEqual({
        runs: 0,
        rankings: [],
        constants: [],
        notVaried: [],
      });
    }
  });

  it('carries runs that come to the same out once for all, and reports each', async () => {
    const twice = await study(requestsFor(trace, 'bind=0', 'bind=1', 'bind=0+cpus=blocks'));
    expect(twice.runs).toBe((await study(requestsFor(trace, 'bind=0', 'bind=1'))).runs);
    expect(twice.constants[0].tried[0].times).toHaveLength(3);
  });
});

describe('between the ends of a range', () => {
  it('the leader is nowhere far behind where no change is reported: five values of each constant', async () => {
    const requests = requestsFor(trace, 'default', 'bind=1', 'interleave=all', 'default+migrate=0:1@50%');
    const { rankings, constants } = await study(requests);
    const [{ leader }] = rankings;
    let tried = 0;
    for (const constant of constantsOf(requests[0])) {
      const found = constants.find(({ name }) => name === constant.name);
      if (found === undefined) continue;
      const below = found.changes.find(({ when }) => when === 'below')?.at ?? 0;
      const above = found.changes.find(({ when }) => when === 'above')?.at ?? Infinity;
      for (let i = 0; i < 5; i++) {
        const value = constant.from + ((constant.until - constant.from) * (i + 0.5)) / 5;
        if (value < below * 1.02 || value > above * 0.98) continue;
        tried++;
        const times = new Map<string, number>();
        for (const request of requests) {
          const { run, region } = await replayTrace(constant.vary(request, value), () => undefined);
          times.set(run, region.timeNs);
        }
        const bestNs = Math.min(...times.values());
        expect(times.get(leader)! / bestNs, `${constant.name} ${String(value)}`).toBeLessThan(1.02);
      }
    }
    expect(tried).toBeGreaterThan(30);
  });
});

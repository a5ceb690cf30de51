import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MACHINES_FILE } from '../../src/cli/bundled.js';
import { parseMachine, parseMachineCatalogue } from '../../src/hardware/index.js';
import { constantsOf } from '../../src/sensitivity/constants.js';
import { certaintyOf, rangeOf } from '../../src/sensitivity/ranges.js';
import { meanRemoteRatio, meanRemoteShare } from '../../src/sensitivity/vary.js';
import { requestFor } from '../engine/replay/replays.js';

const { machines } = parseMachineCatalogue(await readFile(MACHINES_FILE, 'utf8'));
const known = { isKnown: true, text: 'measured' };
const unknown = { isKnown: false, text: 'estimated' };
const published = { from: 1.5, until: 1.9, what: 'published' };

describe('the range of a constant', () => {
  it('is what publications span, if the value was measured and lies within', () => {
    expect(rangeOf(1.8, known, published)).toMatchObject({ from: 1.5, until: 1.9 });
  });

  it('is a fifth either way if it was measured and lies elsewhere, or there are none', () => {
    expect(rangeOf(3, known, published)).toMatchObject({ from: 2.5, until: 3.5999999999999996 });
    expect(rangeOf(6, known, null)).toMatchObject({ from: 5, until: 7.199999999999999 });
  });

  it('is half and twice if it was not measured, and what publications span besides', () => {
    expect(rangeOf(4, unknown, null)).toMatchObject({ from: 2, until: 8 });
    expect(rangeOf(4, unknown, published)).toMatchObject({ from: 1.5, until: 8 });
  });

  it('is wide for a remote part that a file leaves open', () => {
    const nodes = [{ cpus: 1, memory: '1GiB', repeat: 2 }];
    const of = (latencyNs: unknown) => parseMachine(JSON.stringify({ name: 'm', nodes, latencyNs }), 'm.json');
    expect(certaintyOf(of({ local: 80, remote: 120 }), 'latencyNs')).toEqual({
      isKnown: true,
      text: 'given for this machine',
    });
    expect(certaintyOf(of({ local: 80 }), 'latencyNs').isKnown).toBe(false);
    expect(certaintyOf(of(undefined), 'latencyNs').isKnown).toBe(false);
  });
});

describe.each(machines.map((machine) => [machine.name, machine] as const))('on %s', (_, machine) => {
  const request = requestFor('x', 'default', { machine });

  it('every range holds the value used, and has two ends that can be', () => {
    const constants = constantsOf(request);
    expect(constants.length).toBeGreaterThan(10);
    for (const { name, used, from, until, basis } of constants) {
      expect([from <= used, used <= until, from < until, from >= 0, until < Infinity], name).not.toContain(false);
      expect(basis, name).not.toBe('');
    }
  });

  it('a constant at the value used changes nothing, and at another what it stands for alone', () => {
    for (const { name, used, from, until, vary } of constantsOf(request)) {
      const same = vary(request, used).machine.cost;
      expect(
        flat(same).map((value) => value.toPrecision(9)),
        name,
      ).toEqual(flat(machine.cost).map((value) => value.toPrecision(9)));
      const other = vary(request, until === used ? from : until);
      expect(other, name).not.toEqual(request);
      expect({ ...other.machine, cost: 0 }, name).toEqual({ ...machine, cost: 0 });
    }
  });

  it('the remote parts become what was asked for, and own memory stays', () => {
    const of = (name: string) => constantsOf(request).find((constant) => constant.name === name)!;
    const far = of('remote / local latency').vary(request, 2.5).machine;
    expect(meanRemoteRatio(far)).toBeCloseTo(2.5, 9);
    const slow = of('remote / local bandwidth').vary(request, 0.3).machine;
    expect(meanRemoteShare(slow)).toBeCloseTo(0.3, 9);
    machine.nodes.forEach(({ cpus }, node) => {
      if (cpus.length === 0) return;
      expect(far.cost.latencyNs[node][node]).toBe(machine.cost.latencyNs[node][node]);
      expect(slow.cost.bandwidthGbs[node][node]).toBe(machine.cost.bandwidthGbs[node][node]);
    });
  });
});

function flat(cost: object): number[] {
  return Object.values(cost).flat(3) as number[];
}

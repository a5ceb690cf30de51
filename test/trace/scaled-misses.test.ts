import { describe, expect, it } from 'vitest';
import { scaledMisses, type TraceSource } from '../../src/trace/index.js';
import { openTrace } from '../../src/trace/readers/index.js';
import { pathOf } from '../engine/replay/replays.js';

const source = await openTrace(pathOf('mini-stream-4t'));

async function columns(trace: TraceSource, fromRow = 0) {
  const [count, miss]: [number[], number[]] = [[], []];
  for await (const batch of trace.batches({ fromRow })) {
    count.push(...batch.count);
    miss.push(...batch.miss);
  }
  return { count, miss };
}
const sum = (values: readonly number[]) => values.reduce((all, each) => all + each, 0);
const plain = await columns(source);

describe('misses of a trace, scaled', () => {
  it.each([0, 0.1, 0.5, 0.77, 1, 1.3, 2])('are %d times as many, and never more than the accesses', async (factor) => {
    const { count, miss } = await columns(scaledMisses(source, factor));
    expect(count).toEqual(plain.count);
    expect(miss.findIndex((each, row) => each > count[row] || each < 0)).toBe(-1);
    // A row all of whose accesses miss cannot miss more.
    const wanted = sum(plain.miss.map((each, row) => Math.min(each * factor, plain.count[row])));
    expect(sum(miss) / Math.max(1, wanted)).toBeCloseTo(factor === 0 ? 0 : 1, 2);
  });

  it('are the same by 1', async () => {
    expect((await columns(scaledMisses(source, 1))).miss).toEqual(plain.miss);
  });

  it('are the same wherever a pass begins', async () => {
    const scaled = scaledMisses(source, 0.7);
    const { miss } = await columns(scaled);
    expect((await columns(scaled, 300_001)).miss).toEqual(miss.slice(300_001));
  });
});

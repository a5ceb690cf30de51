import { expect, it } from 'vitest';
import { float64s, int32s, recordWords, uint16s, uint32s, uint8s } from '../src/arrays.js';

const MAKERS = [int32s, uint32s, uint16s, uint8s, float64s] as const;

it.each(MAKERS)('%o makes arrays of exactly the length, zeros, each with a buffer of at least a cache line', (make) => {
  for (const length of [0, 1, 3, 64, 1000]) {
    const array = make(length);
    expect(array).toHaveLength(length);
    expect(array.every((value) => value === 0)).toBe(true);
    expect(array.byteOffset).toBe(0);
    expect(array.buffer.byteLength).toBe(Math.max(64, length * array.BYTES_PER_ELEMENT));
    expect(make(length).buffer).not.toBe(array.buffer);
  }
});

it('records begin 48 bytes into their buffer, a line after the 16 bytes that an allocator keeps before it', () => {
  const records = recordWords(24);
  expect(records).toHaveLength(24);
  expect(records.byteOffset).toBe(48);
});

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

// The script is built like the rest, and one process measures one kind: the engine in it is the only one, as in a run's worker.
const SCRIPT = fileURLToPath(new URL('../../dist/test/engine/garbage-run.js', import.meta.url));
const LONG_RUN = fileURLToPath(new URL('../../dist/test/engine/garbage-long-run.js', import.meta.url));
/** A nursery that nothing has to be collected from while it is measured. */
const NURSERY = ['--min-semi-space-size=256', '--max-semi-space-size=256'];
/** Accesses per run of the script. */
const LOOP = 4096;

async function bytesOf(kind: string, runs: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [...NURSERY, SCRIPT, kind, String(runs)]);
  return Number(stdout);
}

/**
 * The least of up to three runs. Code that V8 has not compiled for speed by then boxes a double wherever one is handed on, and
 * how far it has come differs from run to run; what the code itself leaves behind, every run shows.
 */
async function leastBytesOf(kind: string, runs: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 3 && least >= allowed(runs); i++) least = Math.min(least, Math.abs(await bytesOf(kind, runs)));
  return least;
}

/** More than a million accesses or faults, after as many to warm up: what they leave on the heap. */
const MILLION = 256;
/** A quarter of that, for the kinds that have to map their memory anew each time. */
const QUARTER = 64;
/**
 * Bytes for all of them together. What is found is near zero; an array or two per LOOP of them (the first fault of an area
 * makes its anon_vma) are allowed, an object or a number for every sixteenth is not.
 */
const allowed = (runs: number): number => runs * LOOP;

describe('the heap', () => {
  it('shows what is planted: an object per access', async () => {
    expect(await bytesOf('planted', QUARTER)).toBeGreaterThan(16 * QUARTER * LOOP);
  });

  it.each(['tlb-hit', 'miss-present'])('gets nothing from a million accesses: %s', async (kind) => {
    expect(await leastBytesOf(kind, MILLION)).toBeLessThan(allowed(MILLION));
  });

  it.each([
    'swap-cache-well-placed',
    'swap-cache-misplaced',
    'swap-cache-misplaced:bind',
    'swap-cache-misplaced:interleave',
    'swap-cache-misplaced:preferred',
  ])('gets nothing from a million faults: %s', async (kind) => {
    expect(await leastBytesOf(kind, MILLION)).toBeLessThan(allowed(MILLION));
  });

  it.each([
    'zero-page',
    'anon',
    'cow-zero-page',
    'file',
    'file-misplaced',
    'cow-file',
    'file-read-call',
    'file-write-call',
    'swap-major',
  ])('gets nothing from faults and calls of the other kinds: %s', async (kind) => {
    expect(await leastBytesOf(kind, QUARTER)).toBeLessThan(allowed(QUARTER));
  });

  it.each(['rows', 'faulting-rows'])('gets nothing from the loop of the replay: %s', async (kind) => {
    expect(await leastBytesOf(kind, MILLION)).toBeLessThan(allowed(MILLION));
  });

  it.each(['swap-cache-well-placed', 'swap-cache-misplaced'])(
    'grows by less than a megabyte between one and ten million faults, and nothing is scavenged: %s',
    async (name) => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', LONG_RUN, name]);
      const { faults, grownBytes, scavenges } = JSON.parse(stdout) as Record<string, number>;
      expect(faults).toBeGreaterThanOrEqual(9_000_000);
      expect(grownBytes).toBeLessThan(2 ** 20);
      expect(scavenges).toBe(0);
    },
  );
});

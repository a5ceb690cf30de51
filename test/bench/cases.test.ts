import { describe, expect, it } from 'vitest';
import { LOOP } from '../../bench/question.js';

/** As built: some of them start threads and processes, which are files of the build. */
const BUILT = new URL('../../dist/bench/cases/index.js', import.meta.url).href;
const { ASKED_CASES, CASES } = (await import(BUILT)) as typeof import('../../bench/cases/index.js');

const PAGES = 16_384;
const names = CASES.map(({ name }) => name);

describe('cases of the benchmark', () => {
  it('have names of their own, the four of the hot path with each of the four policies', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const name of ['tlb-hit', 'miss-present', 'swap-cache-well-placed', 'swap-cache-misplaced'])
      for (const policy of ['', ':bind', ':interleave', ':preferred']) expect(names).toContain(`${name}${policy}`);
  });

  it.each([...CASES, ...ASKED_CASES.filter(({ name }) => name.endsWith(':1024-gib:256-nodes'))])(
    '$name measures what it says, also when everything is prepared anew',
    async ({ make, loop = LOOP, isAsync }) => {
      const bed = await make(PAGES);
      const samples = isAsync ? 2 : (1.5 * PAGES) / loop;
      for (let i = 0; i < samples; i++) {
        await bed.prepare(loop);
        await bed.run(loop);
      }
      expect(() => {
        bed.verify();
      }).not.toThrow();
    },
  );
});

import { describe, expect, it } from 'vitest';
import { mof } from '../support/built-mof.js';

const explain = (words: string) => mof('cost', 'explain', ...words.split(' '));

describe('mof cost explain', () => {
  it.each([
    ['access --mem-node 5', '--mem-node is 5, but cascadelake-8269cy has nodes 0 to 1'],
    ['access --cpu-node 1 --machine genoa-cxl', '--cpu-node is 1: node 1 of genoa-cxl has no CPUs'],
    ['access --mem-node 1 --load 60', '--load is 60: the link from node 0 to node 1 delivers at most 50.9 GB/s'],
    ['access --load x', '--load is "x"; expected a number, at least 0'],
    ['fault', 'missing required argument "KIND". See: mof cost explain fault --help'],
    ['fault anno', 'no kind of fault "anno"; did you mean "anon"?'],
    ['fault cow --cpus 52', '--cpus is 52, but cascadelake-8269cy has 51 CPUs besides the one that moves'],
    ['migration --by swp', '--by is "swp"; expected move_pages or mbind'],
    ['migration --folio 12KiB', '--folio is "12KiB"; expected a power of two from 4KiB to 2MiB'],
    ['migration --pages 0', '--pages is "0"; expected a whole number, at least 1'],
    ['migration --profile linux-7', 'no profile "linux-7". Known: mof,'],
    ['migration --swap tape', '--swap is "tape"; expected disk or flash'],
    ['migraton', 'unknown command "migraton"; did you mean "migration"? See: mof cost explain --help'],
  ])('%s: %s', async (words, line) => {
    const { code, out, err } = await explain(words);
    expect(err).toMatch(/^mof: .*\n$/);
    expect(err).toContain(line);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it.each(['access', 'fault anon', 'migration'])(
    '%s says which terms add up, and what each rests on',
    async (words) => {
      const { code, out } = await explain(`${words} --machine hp-rx8620`);
      expect(code).toBe(0);
      for (const title of ['total', 'Constants', 'known how', 'Assumptions', 'Sources']) expect(out).toContain(title);
    },
  );

  it('names each estimated or assumed constant, and only those of the terms', async () => {
    const { out } = await explain('fault anon --machine power8-2s --json');
    const { assumed, constants, terms, totalNs } = JSON.parse(out) as {
      assumed: string[];
      constants: { source: string }[];
      terms: { ns: number }[];
      totalNs: number;
    };
    expect(constants).toHaveLength(1);
    expect(constants[0]).toMatchObject({ field: 'faults.minorNs', mark: 'assumed', value: '2050 ns' });
    expect(constants[0].source).toContain('[pft-2021-x86-single]');
    expect(assumed).toEqual([expect.stringMatching(/^faults\.minorNs: 2050 ns \(assumed: /)]);
    expect(terms.reduce((sum, { ns }) => sum + ns, 0)).toBeCloseTo(totalNs, 9);
    expect(totalNs).toBe(2050);
  });

  it('--by all puts the ways beside each other; --swap changes the device, and says so', async () => {
    const json = async (words: string) =>
      JSON.parse((await explain(`migration --by all --pages 100 --json ${words}`)).out) as {
        request: { by: string };
        totalNs: number;
        assumed: string[];
      }[];
    const [disk, flash] = await Promise.all(['--swap disk', '--swap flash'].map(json));
    expect(disk.map(({ request }) => request.by)).toEqual([
      'move_pages',
      'mbind',
      'migrate_pages',
      'lazy',
      'fault',
      'swap',
    ]);
    const swap = (ways: typeof disk) => ways[ways.length - 1];
    expect(swap(disk).totalNs).toBeGreaterThan(100 * 8_000_000);
    expect(swap(flash).totalNs).toBeGreaterThan(100 * 90_000);
    expect(swap(disk).assumed.join('\n')).toContain('faults.majorNs: 8000000 ns (estimated');
    expect(disk.slice(0, -1)).toEqual(flash.slice(0, -1));
  });
});

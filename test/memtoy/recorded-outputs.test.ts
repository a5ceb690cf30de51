import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memtoyScript } from '../support/memtoy.js';

const FOLDER = new URL('../fixtures/memtoy/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.out'))
  .map((name) => name.replace('.out', ''));

/** What differs from run to run: the process id, seconds, and megabytes. Addresses stay: they are placed as the kernel does. */
const steady = (text: string): string =>
  text
    .replace(/pid: {2}\d+/, 'pid:  N')
    .replace(/ *\d+\.\d{3}(?= ?secs)/g, ' T')
    .replace(/^( {2} {0,2}\d+) {2} *\d+ {6} *\d+$/gm, '$1 MB');

describe('what real memtoy printed on Linux 6.1', () => {
  it('is there: seven outputs, each with a script of ours', () => {
    expect(NAMES).toHaveLength(7);
    expect(readdirSync(FOLDER).filter((name) => name.endsWith('.mt'))).toHaveLength(7);
  });

  it.each(['linux-6.1', 'mof'].flatMap((profile) => NAMES.map((name) => [profile, name] as const)))(
    'is what comes out under %s: %s',
    async (profile, name) => {
      const files = { 'zerofile-1m': { bytes: 2 ** 20 } };
      const { all, status } = await memtoyScript(read(`${name}.mt`), { profile, files });
      expect(steady(`${all}# rc ${String(status)}\n`)).toBe(steady(read(`${name}.out`)));
    },
  );

  it('is compared node by node and address by address: one page elsewhere is seen', () => {
    const text = read('Scripts__test1c8.out');
    expect(steady(text)).toContain('a 0x00007ffff7ff1000 0x000000008000');
    expect(steady(text)).toContain('           0:    1   1   1   1   1   1   1   1');
    expect(steady(text).match(/MB$/gm)).toHaveLength(12);
    expect(steady(text).match(/ Tsecs/g)).toHaveLength(1);
  });
});

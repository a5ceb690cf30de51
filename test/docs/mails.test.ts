import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIANTS } from '../../src/engine/index.js';

const TEXT = readFileSync('docs/mails.md', 'utf8');
const ROWS = TEXT.split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (in the mails|---)/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));

const ticked = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
const filesIn = (cell: string): string[] => ticked(cell).filter((word) => /^(src|test)\//.test(word));

describe('docs/mails.md', () => {
  it('has a row for each thing the mails name', () => {
    expect(ROWS).toHaveLength(37);
  });

  it.each(ROWS.map(([, name, here, test]) => [name, here, test] as const))(
    '%s: what it names is there',
    (_, here, test) => {
      const files = filesIn(`${here} ${test}`);
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
      const sources = filesIn(here).filter((file) => file.endsWith('.ts'));
      const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
      for (const [, name] of here.matchAll(/`(\w+)` in /g)) expect(text).toContain(name);
      for (const [, rule] of here.matchAll(/rule `(\w+)`/g)) expect(Object.keys(VARIANTS)).toContain(rule);
      expect(filesIn(test)).toHaveLength(1);
    },
  );
});

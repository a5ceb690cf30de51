import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mof } from '../support/built-mof.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const FIGURE = {
  ...{ id: 'mine', kind: 'migration-time', source: 'me', quantity: 'time of a call', grade: 'A', use: 'validate' },
  ...{ x: [1, 512], y: [62, 1900], unit: 'us', parameters: { callUs: 58, folioUs: 2.5, copyGbs: 4.096 } },
};

const dir = await temporaryDirectory();

function figureFile(fields: Record<string, unknown> = {}): string {
  const path = join(dir, 'mine.json');
  writeFileSync(path, JSON.stringify({ ...FIGURE, ...fields }));
  return path;
}

it('prints model, published value, error and tolerance, and ends well', async () => {
  const { code, out, err } = await mof('validate', figureFile(), '--verbose');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^ +mine +migration-time +A +1 +61\.5 +62 +us +-0\.8 % +5 % +ok$/m);
  expect(out).toMatch(/^ +mine +migration-time +A +512 +1850 +1900 +us +-2\.6 % +5 % +ok$/m);
  expect(out).toContain('1 figure. Rows: 2 ok, 0 outside, 0 reported, 0 calibrate, 0 not computed.');
});

it('ends with 1 when a figure of grade A is outside, not when one of grade B is or when a row calibrates', async () => {
  const outside = await mof('validate', figureFile({ y: [62, 2500] }));
  expect(outside.code).toBe(1);
  expect(outside.out).toContain('Outside, of grade A: mine.');
  expect((await mof('validate', figureFile({ y: [62, 2500], grade: 'B' }))).code).toBe(0);
  expect((await mof('validate', figureFile({ y: [62, 2500], calibrates: [1] }))).code).toBe(0);
});

it('ends with 2 and one line for bad input', async () => {
  const file = figureFile({ grade: 'D' });
  const bad = await mof('validate', file);
  expect(bad).toEqual({ code: 2, out: '', err: `mof: ${file}: figure mine: grade is "D"; expected "A", "B" or "C"\n` });
  const absent = await mof('validate', 'nowhere.json');
  expect([absent.code, absent.err]).toEqual([
    2,
    'mof: cannot read figures nowhere.json: ENOENT; expected a JSON file\n',
  ]);
});

it('writes every row and what it was computed from as JSON', async () => {
  const file = figureFile();
  const json = `${file}.out`;
  expect((await mof('validate', file, '--json', json)).code).toBe(0);
  const { out } = await mof('validate', file, '--json', '-');
  expect(readFileSync(json, 'utf8')).toBe(out);
  const { figures } = JSON.parse(out) as { figures: { rows: { model: number; used: { parameter: string }[] }[] }[] };
  expect(figures[0].rows[0].model).toBeCloseTo(61.5, 9);
  expect(figures[0].rows[0].used).toContainEqual({ parameter: 'callUs', value: 58, from: 'given' });
});

it('lists the kinds, as docs/figures.md does', async () => {
  const { code, out } = await mof('validate', '--kinds');
  expect(code).toBe(0);
  const documented = readFileSync(new URL('../../docs/figures.md', import.meta.url), 'utf8');
  expect(documented).toContain(out.trim());
});

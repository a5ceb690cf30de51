import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Figure } from '../../../src/prove/index.js';
import { FIGURES, MACHINES, validateBundled, validateFile } from './bundled.js';

const calibratesRow = ({ use, calibrates = [] }: Figure, row: number): boolean =>
  use === 'calibrate' || calibrates.includes(row);

/** Published values of rows that only validate, a tenth higher. */
const shifted = FIGURES.map((figure) => ({
  ...figure,
  y: figure.y.map((value, row) => (calibratesRow(figure, row) ? value : value * 1.1)),
}));

it('no prediction changes when every value that validates is a tenth higher', { timeout: 60_000 }, async () => {
  const [plain, other] = [await validateBundled(), await validateBundled(shifted)];
  const models = ({ figures }: typeof plain) => figures.map(({ id, rows }) => [id, rows.map(({ model }) => model)]);
  expect(models(other)).toEqual(models(plain));
  const published = ({ figures }: typeof plain) => figures.flatMap(({ rows }) => rows.map((row) => row.published));
  expect(published(other)).not.toEqual(published(plain));
});

it('a prediction changes when the row that its constant was taken from does', async () => {
  const taller = FIGURES.map((figure) =>
    figure.id === 'garg2025-movepages-mtcopy-8'
      ? { ...figure, y: figure.y.map((value, i) => (i === 7 ? value / 2 : value)) }
      : figure,
  );
  const model = async (figures: readonly Figure[]) =>
    (await validateBundled(figures.filter(({ id }) => id.includes('mtcopy-8')))).figures[0].rows[3].model;
  expect(await model(taller)).not.toBe(await model(FIGURES));
});

it('a constant cannot be taken from a row that validates', async () => {
  const mine = {
    ...{
      id: 'mine',
      kind: 'loaded-latency',
      source: 'me',
      quantity: 'latency',
      grade: 'A',
      use: 'validate',
      unit: 'ns',
    },
    ...{ x: [10, 20], y: [80, 90], parameters: { peakGbs: 100, idleNs: { row: 0 } } },
  };
  await expect(validateFile(mine)).rejects.toThrow(
    'mine.json: figure mine: parameters.idleNs: row 0 of mine validates; expected one that calibrates',
  );
  const { figures } = await validateFile({ ...mine, calibrates: [0] });
  expect(figures[0].rows.map(({ status }) => status)).toEqual(['calibration', 'ok']);
});

it('every value of a bundled machine says where it comes from, and none comes from a row that validates', () => {
  const text = readFileSync(new URL('../../../src/data/machines.json', import.meta.url), 'utf8');
  const { sources } = JSON.parse(text) as { sources: Record<string, string> };
  for (const { name, origins = [] } of MACHINES) {
    for (const { field, mark, source } of origins) {
      expect(source, `${name}, ${field}`).not.toBe('');
      expect(mark, `${name}, ${field}`).not.toBe('given');
      for (const [, id, row] of source.matchAll(/\[([^\] ]+)(?: #(\d+))?\]/g)) {
        expect(Object.keys(sources), `${name}, ${field}`).toContain(id);
        const figure = FIGURES.find((one) => one.id === id);
        if (figure === undefined) continue;
        const isDescriptive = /^(nodes|distance|pageBytes)/.test(field);
        const isFree = figure.use === 'calibrate' || calibratesRow(figure, Number(row ?? -1)) || isDescriptive;
        expect(isFree, `${name}, ${field}: [${id}]`).toBe(true);
      }
    }
  }
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorOf } from '../support/error-of.js';
import { fallbackRows } from '../../src/hardware/fallback.js';
import { DEFAULT_MACHINE, machineNamed, parseMachineCatalogue } from '../../src/hardware/machine-file.js';
import { Topology } from '../../src/hardware/topology.js';

describe('the bundled machines', () => {
  const text = readFileSync(new URL('../../src/data/machines.json', import.meta.url), 'utf8');
  const catalogue = parseMachineCatalogue(text);

  test('are thirteen, with the default among them', () => {
    expect(catalogue.machines.map((machine) => machine.name)).toEqual([
      'cascadelake-8269cy',
      'epyc-zen3-2s',
      'sapphirerapids-4416p',
      'haswell-e5-2640v3',
      'power8-2s',
      'opteron-8347he-quad',
      'two-sockets-plus-cxl',
      'genoa-cxl',
      'socket-plus-cxl',
      'x86-2node-2012',
      'ibm-8node-2012',
      'hp-rx8620',
      'sgi-altix-512',
    ]);
    expect(machineNamed(catalogue, DEFAULT_MACHINE).nodes).toHaveLength(2);
    expect(machineNamed(catalogue, 'opteron-8347he-quad').nodes).toHaveLength(4);
  });

  test.each(catalogue.machines.map((machine) => [machine.name, machine] as const))('%s is complete', (_, machine) => {
    const topology = new Topology(machine);
    expect(fallbackRows(topology).every((row) => row.length === topology.nodesWithMemory().length)).toBe(true);
    for (const table of [machine.cost.latencyNs, machine.cost.bandwidthGbs]) {
      expect(table.flat().every((value) => value > 0 && value < Infinity)).toBe(true);
      expect(table.flat()).toHaveLength(machine.nodes.length ** 2);
    }
    machine.cost.latencyNs.forEach((row, node) => {
      expect(Math.min(...row)).toBe(row[node]);
    });
  });

  test('say of every value where it comes from, and use every source they credit', () => {
    const origins = catalogue.machines.flatMap((machine) => machine.origins ?? []);
    expect(origins.filter((origin) => origin.mark === 'given')).toEqual([]);
    expect(origins).toHaveLength(13 * 18 + 2);
    const cited = origins.flatMap((origin) =>
      [...origin.source.matchAll(/\[([\w-]+)[^\]]*\]/g)].map((match) => match[1]),
    );
    expect([...new Set(cited)].sort()).toEqual(Object.keys(catalogue.sources).sort());
  });

  /** [id] of a whole figure, [id #1 #2] of some of its rows. */
  const citedIn = (source: string) =>
    [...source.matchAll(/\[([\w-]+)((?: #\d+)*)\]/g)].map(([, id, rows]) => ({
      id,
      rows: [...rows.matchAll(/#(\d+)/g)].map(([, row]) => Number(row)),
    }));
  /** What a machine is, not what it takes. */
  const DESCRIPTIVE = ['nodes.cpus', 'nodes.memory', 'distance', 'pageBytes'];
  const figures = new Map(
    (
      JSON.parse(readFileSync(new URL('../../src/data/figures.json', import.meta.url), 'utf8')) as {
        figures: { id: string; use: string; calibrates?: number[] }[];
      }
    ).figures.map((figure) => [figure.id, figure]),
  );
  const constants = catalogue.machines.flatMap(({ name, origins = [] }) =>
    origins.filter(({ field }) => !DESCRIPTIVE.includes(field)).map((origin) => ({ name, ...origin })),
  );

  test('take each value that was read or derived from a figure, and name it', () => {
    const unnamed = constants
      .filter(({ mark, source }) => (mark === 'read' || mark === 'derived') && citedIn(source).length === 0)
      .filter(({ field, value }) => !(/^ipi/.test(field) && value === '0 ns')); // broadcast: the architecture says so
    expect(unnamed).toEqual([]);
    const known = (id: string) => figures.has(id) || catalogue.sources[id].endsWith('from memory');
    expect(Object.keys(catalogue.sources).filter((id) => !known(id))).toEqual([]);
  });

  test('take no value from a figure that validates, but for the rows that calibrate', () => {
    const taken = constants.flatMap(({ name, field, source }) =>
      citedIn(source).map(({ id, rows }) => ({ name, field, id, rows })),
    );
    const fromValidation = taken.filter(({ id, rows }) => {
      const figure = figures.get(id);
      if (figure?.use !== 'validate') return false;
      return rows.length === 0 || rows.some((row) => figure.calibrates?.includes(row) !== true);
    });
    expect(fromValidation).toEqual([]);
    expect(taken.filter(({ rows }) => rows.length > 0).length).toBeGreaterThan(3); // the law has something to forbid
  });

  test('the default has measured latencies and bandwidths', () => {
    const marks = Object.fromEntries(
      (machineNamed(catalogue, DEFAULT_MACHINE).origins ?? []).map((o) => [o.field, o.mark]),
    );
    expect(marks).toMatchObject({
      latencyNs: 'read',
      bandwidthGbs: 'read',
      pageBytes: 'read',
      'nodes.memory': 'assumed',
    });
  });

  test('a name that is not there gets the nearest one', () => {
    expect(errorOf(() => machineNamed(catalogue, 'genoa-clx')).message).toBe(
      'no machine "genoa-clx"; did you mean "genoa-cxl"? See: mof machine list (a file of your own needs its path)',
    );
    expect(errorOf(() => machineNamed(catalogue, 'zzz')).message).toBe(
      'no machine "zzz". See: mof machine list (a file of your own needs its path)',
    );
  });

  test('a catalogue with a mistake names the machine', () => {
    const wrap = (...machines: object[]) => JSON.stringify({ about: '', sources: {}, machines });
    const good = { name: 'a', nodes: [{ cpus: 2, memory: '1GiB' }] };
    expect(errorOf(() => parseMachineCatalogue(wrap(good, { ...good, name: 'b', ipiNs: -1 }))).message).toBe(
      'machines.json, machine "b": ipiNs is -1: expected a number, at least 0',
    );
    expect(errorOf(() => parseMachineCatalogue(wrap(good, good), 'my.json')).message).toBe(
      'my.json: two machines are called "a"',
    );
    expect(errorOf(() => parseMachineCatalogue('{"about": "", "machines": []}')).message).toBe(
      'machines.json: sources is missing: expected an object from ids to texts',
    );
  });
});

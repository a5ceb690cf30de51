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

import { fc, it as property } from '@fast-check/vitest';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ACCOUNT_FAULT,
  ACCOUNT_MIGRATION,
  copySpeedup,
  DeviceQueue,
  EXPLAINED_FAULTS,
  explainAccess,
  explainFault,
  explainMigration,
  LoadedLatency,
  makeMeter,
  migrationTime,
  MOVERS,
  PRICE,
  pricesOf,
  writesNs,
  type ExplainedFault,
  type Explanation,
  type Mover,
} from '../../src/cost/index.js';
import { machineNamed, onDevice, parseMachineCatalogue } from '../../src/hardware/index.js';
import { asNodeId } from '../../src/units.js';
import { endOf } from './end-of.js';
import { errorOf } from '../support/error-of.js';
import { replayRows, write } from '../engine/replay/replays.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const catalogue = parseMachineCatalogue(readFileSync(new URL('../../src/data/machines.json', import.meta.url), 'utf8'));
const haswell = machineNamed(catalogue, 'haswell-e5-2640v3');
const { cost } = haswell;
const ALONE = { cpus: 0, fromNode: 0, toNode: 1, folioPages: 1, copyThreads: 1, flushBatch: 512 };
const termOf = ({ terms }: Explanation, name: string): number => terms.find((term) => term.name === name)?.ns ?? NaN;

const machines = fc.constantFrom(...catalogue.machines.filter(({ nodes }) => nodes.length > 1 && nodes.length <= 8));
const requests = fc.record({
  by: fc.constantFrom(...(Object.keys(MOVERS) as Mover[])),
  pages: fc.integer({ min: 1, max: 5000 }),
  folioPages: fc.constantFrom(1, 16, 512),
  copyThreads: fc.constantFrom(1, 2, 8, 16),
  cpus: fc.nat(7),
  flushBatch: fc.constantFrom(1, 512),
  fromNode: fc.nat(1),
  toNode: fc.nat(1),
});

describe('an explanation', () => {
  property.prop([machines, requests])('of a move adds up, and no term is negative', (machine, request) => {
    const { terms, totalNs } = explainMigration(machine.cost, request);
    expect(terms.filter(({ ns }) => !(ns >= 0))).toEqual([]);
    expect(totalNs).toBeCloseTo(
      terms.reduce((sum, { ns }) => sum + ns, 0),
      6,
    );
  });

  property.prop([machines, requests])(
    'of a move grows with pages and CPUs, and not with threads',
    (machine, request) => {
      const ns = (more: object) => explainMigration(machine.cost, { ...request, ...more }).totalNs;
      expect(ns({ pages: request.pages + 1 })).toBeGreaterThanOrEqual(ns({}));
      expect(ns({ cpus: request.cpus + 1 })).toBeGreaterThanOrEqual(ns({}));
      expect(ns({ copyThreads: request.copyThreads + 1 })).toBeLessThanOrEqual(ns({}) * (1 + 1e-9));
    },
  );

  property.prop([machines, fc.constantFrom(...(Object.keys(EXPLAINED_FAULTS) as ExplainedFault[])), fc.nat(7)])(
    'of a fault adds up, and rests on constants that the machine names',
    (machine, kind, cpus) => {
      const { terms, totalNs } = explainFault(machine.cost, { kind, cpus, fromNode: 0, toNode: 1 });
      expect(totalNs).toBeGreaterThan(0);
      expect(totalNs).toBeCloseTo(
        terms.reduce((sum, { ns }) => sum + ns, 0),
        6,
      );
      const fields = machine.origins?.map(({ field }) => field);
      for (const { uses } of terms) expect(fields).toEqual(expect.arrayContaining([...uses]));
    },
  );
});

describe('an access', () => {
  const request = { cpuNode: 0, memNode: 1, linkGbs: 0, memoryGbs: 0, mlp: 1, missesTlb: false };

  it('on an idle machine takes the latency', () => {
    expect(explainAccess(cost, request).totalNs).toBe(136.5);
    expect(explainAccess(cost, { ...request, mlp: 3, missesTlb: true }).totalNs).toBeCloseTo(
      136.5 / 3 + cost.walkNs,
      9,
    );
  });

  property.prop([fc.double({ min: 0.01, max: 0.99, noNaN: true })])('under load takes what the model takes', (u) => {
    const gbs = u * 32;
    const model = new LoadedLatency(cost, { mlp: 1 });
    const { totalNs } = explainAccess(cost, { ...request, linkGbs: gbs });
    // Demand that settles at this load: what is delivered times how much slower it is.
    model.charge(asNodeId(0), asNodeId(1), (gbs * (totalNs / 136.5) * 100_000) / 64);
    model.advance(100_000);
    expect(model.accessNs(asNodeId(0), asNodeId(1), 0, 1)).toBeCloseTo(totalNs, 4);
  });

  it('waits for the busier of link and memory, and a load that neither delivers is refused', () => {
    const ns = (linkGbs: number, memoryGbs: number) => explainAccess(cost, { ...request, linkGbs, memoryGbs }).totalNs;
    expect(ns(16, 0)).toBeCloseTo(136.5 * (1 + 0.25 + 0.75 / 256), 9);
    expect(ns(16, 59.7)).toBeCloseTo(136.5 * 2.25, 9);
    const refused = errorOf(() => ns(33, 0));
    expect(refused.code).toBe('BAD_OPTION');
    expect(refused.message).toBe('--load is 33: the link from node 0 to node 1 delivers at most 32 GB/s');
  });
});

describe('a move', () => {
  it('of many pages takes B + n (o + size / bw)', () => {
    const ns = explainMigration(cost, { by: 'move_pages', pages: 512, ...ALONE }).totalNs;
    expect(ns).toBeCloseTo(58_700 + 512 * (2600 + 4096 / 3.51), 6);
  });

  it('of a huge page has one control work, and copy threads shorten the copy alone', () => {
    const huge = { by: 'move_pages', pages: 512, ...ALONE, folioPages: 512 } as const;
    const one = explainMigration(cost, huge);
    const eight = explainMigration(cost, { ...huge, copyThreads: 8 });
    expect(termOf(one, 'control work')).toBeCloseTo(2600, 6);
    expect(termOf(one, 'copying') / termOf(eight, 'copying')).toBeCloseTo(3.6, 9);
    expect([termOf(eight, 'the call'), termOf(eight, 'control work')]).toEqual([58_700, termOf(one, 'control work')]);
    expect([1, 8].map((threads) => copySpeedup(3.6, threads))).toEqual([1, expect.closeTo(3.6, 9)]);
    expect(copySpeedup(3.6, 1000)).toBeLessThan(1 / (1 - (1 - 1 / 3.6) / (7 / 8)));
  });

  property.prop([machines, fc.integer({ min: 1, max: 2000 }), fc.constantFrom(1, 16, 512), fc.constantFrom(1, 8)])(
    'takes what the form that is validated takes, where copies are as long as the mean',
    ({ cost: of }, folios, folioPages, threads) => {
      const even = {
        ...of,
        latencyNs: [
          [90, 150],
          [150, 90],
        ],
        bandwidthGbs: [
          [500, 500],
          [500, 500],
        ],
      };
      const request = {
        ...ALONE,
        by: 'move_pages',
        pages: folios * folioPages,
        folioPages,
        copyThreads: threads,
      } as const;
      const entryNs = of.migratePerPageNs - of.migratePerFolioNs;
      const form = migrationTime(
        {
          ...{ callNs: of.migrateBaseNs, folioNs: of.migratePerFolioNs, entryNs, copyGbs: of.pageCopyGbs },
          copySpeedup: threads === 1 ? 1 : (of.copySpeedup ?? 3.6),
        },
        { calls: 1, folios, folioBytes: folioPages * 4096, entries: folioPages === 512 ? 0 : folioPages },
      );
      expect(explainMigration(even, request).totalNs / form.totalNs).toBeCloseTo(1, 9);
    },
  );

  it('tells other CPUs once per batch, or once per page', () => {
    const flushes = (flushBatch: number) =>
      termOf(explainMigration(cost, { ...ALONE, by: 'mbind', pages: 1024, cpus: 3, flushBatch }), 'TLB shootdown');
    expect(flushes(512)).toBe(2 * (2700 + 2 * 1300));
    expect(flushes(1)).toBe(1024 * (2700 + 2 * 1300));
  });

  it.each(['disk', 'flash'] as const)(
    'through swap on %s is written as the device queue says, and beaten by a direct one',
    (kind) => {
      const on = onDevice(haswell, kind).cost;
      const model = new LoadedLatency(on);
      for (const pages of [1, 2, 31, 32, 33, 100]) {
        const queue = new DeviceQueue(makeMeter(model, 2), on.deviceAtOnce);
        let endNs = 0;
        for (let slot = 1; slot <= pages; slot++) endNs = Math.max(endNs, endOf(queue, PRICE.deviceWrite, slot));
        expect(writesNs(on, pricesOf(model), pages)).toBeCloseTo(endNs, 6);
      }
      for (const cpus of [0, 7]) {
        const ns = (by: Mover) => explainMigration(on, { ...ALONE, by, pages: 100, cpus, flushBatch: 1 }).totalNs;
        for (const by of ['move_pages', 'mbind', 'migrate_pages', 'lazy'] as const)
          expect(ns('swap') - ns(by)).toBeGreaterThan(100 * (on.majorFaultNs - 2 * on.minorFaultNs - 5000));
      }
    },
  );
});

describe('the engine pays what is explained', () => {
  const dir = temporaryDirectory();
  const PAGES = 40;
  const rows = [
    ...Array.from({ length: PAGES }, (_, page) => write(page, 0, page)),
    ...Array.from({ length: PAGES }, (_, page) => write(PAGES + page, 0, page)),
  ];
  const run = async (word: string) => replayRows(await dir, { rows }, word, { machine: haswell });
  const fault = (kind: ExplainedFault) => explainFault(cost, { kind, cpus: 0, fromNode: 0, toNode: 1 }).totalNs;
  const move = (by: Mover) => explainMigration(cost, { ...ALONE, by, pages: PAGES }).totalNs;

  it('for first touches', async () => {
    expect((await run('default')).whole.faultNs).toBeCloseTo(PAGES * fault('anon'), 3);
  });

  it('for a move by a call of another process, which tells the CPU of this one', async () => {
    const { whole } = await run(`bind=1+migrate=1:0@50%`);
    expect(whole.migrationNs).toBeCloseTo(
      explainMigration(cost, { ...ALONE, by: 'migrate_pages', pages: PAGES, cpus: 1, fromNode: 1, toNode: 0 }).totalNs,
      3,
    );
    expect(whole.faultNs).toBeCloseTo(PAGES * fault('anon'), 3);
  });

  it('for a lazy move: the call, and each fault with the move', async () => {
    const { whole } = await run('default+task=0:1@50%+lazy@50%');
    expect(whole.faultNs - whole.refaultNs).toBeCloseTo(PAGES * fault('anon'), 3);
    // The task has run on a CPU of the other node, which is told once.
    const told = new LoadedLatency(cost).shootdownNs(1);
    expect(whole.migrationNs + whole.refaultNs).toBeCloseTo(move('lazy') + told, 3);
  });

  it('for a move through swap, whoever waits for the device', async () => {
    const { whole, actions } = await run('default+swapout@50%');
    const swap = explainMigration(cost, { ...ALONE, by: 'swap', pages: PAGES });
    const reads = termOf(swap, 'faults') + termOf(swap, 'reading');
    expect(whole.refaultNs).toBeGreaterThanOrEqual(reads * (1 - 1e-9));
    expect(actions[0].swap?.written).toBe(PAGES);
  });

  it('to the accounts that it says', () => {
    const meter = makeMeter(new LoadedLatency(cost), 2);
    meter.pay(ACCOUNT_FAULT, PRICE.swapCacheFault);
    meter.pay(ACCOUNT_FAULT, PRICE.checkPage);
    meter.pay(ACCOUNT_MIGRATION, PRICE.movePage);
    meter.payCopy(ACCOUNT_MIGRATION, 0, 1);
    expect(meter.nowNs).toBeCloseTo(fault('misplaced'), 9);
  });
});

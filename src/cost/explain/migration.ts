import type { CostDescription } from '../../hardware/index.js';
import { asNodeId, PAGE_BYTES } from '../../units.js';
import { LoadedLatency } from '../loaded-latency.js';
import type { Prices } from '../meter.js';
import { pricesOf } from '../prices.js';
import { checkTerm, copyTerm, flushTerm, shareTerm } from './fault.js';
import { digits, explanation, type Explanation, inUs, type Term } from './term.js';

/** Ways to move pages that can be explained. */
export const MOVERS = {
  move_pages: 'a list of pages is moved by a call',
  mbind: 'a range is walked and moved by mbind(MPOL_MF_MOVE)',
  migrate_pages: 'a process is walked and moved by migrate_pages(2), a cpuset or automigrate=direct',
  lazy: 'unmapped by mbind(MPOL_MF_LAZY); each page is moved by the fault of who uses it next',
  fault: 'only the faults of the lazy move: migrate-on-fault',
  swap: 'written to swap, and read again where it is used',
} as const;
export type Mover = keyof typeof MOVERS;

export interface MigrationRequest {
  readonly by: Mover;
  /** Pages of 4 KiB, in folios of so many each: 1 to 512, where 512 are a huge page that one entry maps. */
  readonly pages: number;
  readonly folioPages: number;
  readonly copyThreads: number;
  /** Other CPUs whose TLBs may know the pages. */
  readonly cpus: number;
  readonly fromNode: number;
  readonly toNode: number;
  /** Folios per TLB flush: the rule `flushBatch` of a kernel profile, in pages. */
  readonly flushBatch: number;
}

/** Eight threads on 2 x E5-2640 v3 [yan2017-movepages-x86-thp-threads], for machines where nobody measured it. */
const ASSUMED_SPEEDUP = 3.6;
const MEASURED_THREADS = 8;
const HUGE = 512;

/**
 * T = B + n (o + size / bw), and what comes on top: the walk, shootdowns, faults, the device. At the same prices that the
 * engine pays; the engine itself moves folios of 4 KiB and 2 MiB with one thread.
 */
export function explainMigration(cost: CostDescription, request: MigrationRequest): Explanation {
  const { by, pages, folioPages, copyThreads } = request;
  const prices = pricesOf(new LoadedLatency(cost));
  const folios = Math.ceil(pages / folioPages);
  const terms: Readonly<Record<Mover, () => readonly Term[]>> = {
    move_pages: () => [callTerm(prices), ...directTerms(cost, prices, request)],
    mbind: () => [callTerm(prices), walkTerm(prices, pages, cost), ...directTerms(cost, prices, request)],
    migrate_pages: () => [callTerm(prices), walkTerm(prices, pages, cost), ...directTerms(cost, prices, request)],
    fault: () => faultTerms(cost, prices, request),
    lazy: () => [
      callTerm(prices),
      walkTerm(prices, pages, cost),
      shareTerm('unmapping', prices.unmapPage, cost, pages),
      flushTerm(cost, request.cpus, Math.ceil(pages / request.flushBatch)),
      ...faultTerms(cost, prices, request),
    ],
    swap: () => [
      callTerm(prices),
      walkTerm(prices, pages, cost),
      shareTerm('unmapping', prices.unmapPage, cost, pages),
      flushTerm(cost, request.cpus, pages),
      writesTerm(cost, prices, pages),
      shareTerm('faults', prices.swapCacheFault, cost, pages),
      {
        name: 'reading',
        ns: pages * prices.deviceRead,
        formula: `${String(pages)} × ${inUs(prices.deviceRead)}, one after the other`,
        uses: ['faults.majorNs', 'faults.minorNs'],
      },
    ],
  };
  const isAssumed = copyThreads > 1 && cost.copySpeedup === undefined;
  const folio = folioPages === 1 ? '' : `, folios of ${String(folioPages * 4)} KiB: ${String(folios)}`;
  return explanation(`${String(pages)} pages${folio}, ${MOVERS[by]}`, terms[by](), [
    ...(isAssumed
      ? [
          `migrate.copySpeedup: ${String(ASSUMED_SPEEDUP)} times with 8 threads (assumed: as on [yan2017-movepages-x86-thp-threads]).`,
        ]
      : []),
    ...(copyThreads > 1 ? ['No mainline kernel copies with several threads.'] : []),
  ]);
}

/** How many times as fast `threads` threads copy: Amdahl's law through what eight do. */
export function copySpeedup(withEight: number, threads: number): number {
  const parallel = (1 - 1 / withEight) / (1 - 1 / MEASURED_THREADS);
  return 1 / (1 - parallel + parallel / threads);
}

/** What the device takes for so many pages that are written behind each other, all asked for at once. */
export function writesNs(cost: Pick<CostDescription, 'deviceAtOnce'>, prices: Prices, pages: number): number {
  const { deviceWrite, deviceNext } = prices;
  if (cost.deviceAtOnce > 1) return Math.ceil(pages / cost.deviceAtOnce) * deviceWrite;
  return deviceWrite + (pages - 1) * Math.min(deviceWrite, deviceNext);
}

function callTerm({ moveCall }: Prices): Term {
  return { name: 'the call', ns: moveCall, formula: inUs(moveCall), uses: ['migrate.baseUs'] };
}

function walkTerm({ scanPage }: Prices, pages: number, cost: CostDescription): Term {
  return shareTerm('walking page tables', scanPage, cost, pages);
}

/** Control work, copies and flushes of a move by a call. A huge page has one entry, smaller folios one per page. */
function directTerms(cost: CostDescription, prices: Prices, request: MigrationRequest): readonly Term[] {
  const { pages, folioPages, cpus, flushBatch } = request;
  const { unmapPage, restOfMove, restOfHugeMove } = prices;
  const folios = Math.ceil(pages / folioPages);
  const entryNs = folioPages === HUGE ? 0 : Math.max(0, cost.migratePerPageNs - cost.migratePerFolioNs);
  const perFolio = unmapPage + (folioPages === 1 ? restOfMove : restOfHugeMove);
  const entries = folioPages === 1 || entryNs === 0 ? 0 : pages;
  const control = `${String(folios)} × ${inUs(perFolio)}${entries === 0 ? '' : ` + ${String(entries)} × ${inUs(entryNs)}`}`;
  const perFlush = folioPages === HUGE ? 1 : Math.max(1, Math.floor(flushBatch / folioPages));
  return [
    {
      name: 'control work',
      ns: folios * perFolio + entries * entryNs,
      formula: control,
      uses: folioPages === 1 ? ['migrate.perPageUs'] : ['migrate.perFolioUs', 'migrate.perPageUs'],
    },
    copies(cost, request),
    flushTerm(cost, cpus, Math.ceil(folios / perFlush)),
  ];
}

function copies(cost: CostDescription, { pages, copyThreads, fromNode, toNode }: MigrationRequest): Term {
  const oneNs = new LoadedLatency(cost).copyNs(asNodeId(fromNode), asNodeId(toNode));
  if (copyThreads === 1) return copyTerm(pages, oneNs, '');
  const speedup = copySpeedup(cost.copySpeedup ?? ASSUMED_SPEEDUP, copyThreads);
  const pageNs = Math.max(oneNs / speedup, PAGE_BYTES / cost.bandwidthGbs[toNode][fromNode]);
  const term = copyTerm(pages, pageNs, `, ${digits(oneNs / pageNs)} times one thread's`);
  return { ...term, uses: [...term.uses, 'migrate.copySpeedup'] };
}

/** A fault that finds its page in the swap cache, and the move of that page; by one thread. */
function faultTerms(cost: CostDescription, prices: Prices, request: MigrationRequest): readonly Term[] {
  const { pages } = request;
  return [
    shareTerm('faults', prices.swapCacheFault, cost, pages),
    checkTerm(prices, cost, pages),
    {
      name: 'control work',
      ns: pages * prices.movePage,
      formula: `${String(pages)} × ${inUs(prices.movePage)}`,
      uses: ['migrate.perPageUs'],
    },
    copies(cost, { ...request, copyThreads: 1 }),
  ];
}

function writesTerm(cost: CostDescription, prices: Prices, pages: number): Term {
  const { deviceAtOnce } = cost;
  const formula =
    deviceAtOnce > 1
      ? `${String(Math.ceil(pages / deviceAtOnce))} times ${String(deviceAtOnce)} at once × ${inUs(prices.deviceWrite)}`
      : `${inUs(prices.deviceWrite)} + ${String(pages - 1)} × ${inUs(Math.min(prices.deviceWrite, prices.deviceNext))} in a row`;
  return {
    name: 'writing',
    ns: writesNs(cost, prices, pages),
    formula,
    uses: ['faults.writebackNs', 'device.atOnce', 'device.nextPageNs'],
  };
}

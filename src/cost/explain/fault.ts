import type { CostDescription } from '../../hardware/index.js';
import { asNodeId } from '../../units.js';
import { LoadedLatency } from '../loaded-latency.js';
import type { PriceName, Prices } from '../meter.js';
import { pricesOf } from '../prices.js';
import { digits, explanation, type Explanation, inUs, type Term } from './term.js';

/** Kinds of fault that can be explained, and what each is. */
export const EXPLAINED_FAULTS = {
  anon: 'first write to anonymous or shared memory: a zeroed page',
  'zero-page': 'first read of anonymous memory: the zero page is mapped',
  'zero-page-write': 'first write where the zero page is mapped',
  file: 'a page of the page cache is mapped',
  cow: 'write to a page shared since fork: allocated and copied',
  'write-in-place': 'write to a protected page that nobody else has: made writable',
  'swap-cache': 'a page that is still in the swap cache is mapped again',
  misplaced: 'a page that is still in the swap cache is moved to its node by migrate-on-fault, and mapped',
  'swap-major': 'a page is read from swap',
  'file-major': 'a page of a file is read from disk',
  'swap-major-checked': 'a page is read from swap, and migrate-on-fault finds it well placed',
  'swap-major-overflowed': 'a page is read from swap, its node being full; migrate-on-fault tries to move it in vain',
} as const;
export type ExplainedFault = keyof typeof EXPLAINED_FAULTS;

export interface FaultRequest {
  readonly kind: ExplainedFault;
  /** Other CPUs whose TLBs may know the page, where the fault changes an entry. */
  readonly cpus: number;
  /** Where a misplaced page lies, and where it goes. */
  readonly fromNode: number;
  readonly toNode: number;
}

/** The same prices that the engine pays for such a fault. */
export function explainFault(cost: CostDescription, { kind, cpus, fromNode, toNode }: FaultRequest): Explanation {
  const model = new LoadedLatency(cost);
  const prices = pricesOf(model);
  const read = (): Term => deviceTerm(prices);
  const ownWork = (): Term => shareTerm("the fault's own work", prices.swapCacheFault, cost);
  const whole = (name: PriceName): Term => shareTerm('the fault', prices[name], cost);
  const terms: Readonly<Record<ExplainedFault, () => readonly Term[]>> = {
    anon: () => zeroed(prices, 'anonFault', cost),
    'zero-page': () => [whole('zeroPageFault')],
    'zero-page-write': () => [...zeroed(prices, 'zeroPageWriteFault', cost), flushTerm(cost, cpus)],
    file: () => [whole('fileFault')],
    cow: () => [shareTerm('the fault, with the copy', prices.cowFault, cost), flushTerm(cost, cpus)],
    'write-in-place': () => [whole('writeInPlace'), flushTerm(cost, cpus)],
    'swap-cache': () => [whole('swapCacheFault')],
    misplaced: () => [
      whole('swapCacheFault'),
      checkTerm(prices, cost),
      { name: 'control work', ns: prices.movePage, formula: inUs(prices.movePage), uses: ['migrate.perPageUs'] },
      copyTerm(1, model.copyNs(asNodeId(fromNode), asNodeId(toNode)), ''),
    ],
    'swap-major': () => [ownWork(), read()],
    'file-major': () => [shareTerm("the fault's own work", prices.fileFault, cost), read()],
    'swap-major-checked': () => [ownWork(), read(), checkTerm(prices, cost)],
    'swap-major-overflowed': () => [
      ownWork(),
      read(),
      checkTerm(prices, cost),
      shareTerm('the move that is given up', prices.givenUpMove, cost),
    ],
  };
  return explanation(EXPLAINED_FAULTS[kind], terms[kind]());
}

/** A fault of a kind as a share of the anonymous first touch (fault-shares.ts). */
export function shareTerm(name: string, ns: number, { minorFaultNs }: CostDescription, times = 1): Term {
  const formula = `${times === 1 ? '' : `${String(times)} × `}${digits(ns / minorFaultNs)} × ${inUs(minorFaultNs)}`;
  return { name, ns: times * ns, formula, uses: ['faults.minorNs'] };
}

/** C1..C6: is the page where its policy wants it? */
export function checkTerm({ checkPage }: Prices, cost: CostDescription, times = 1): Term {
  return shareTerm('asking the policy', checkPage, cost, times);
}

function zeroed(prices: Prices, fault: PriceName, cost: CostDescription): readonly Term[] {
  return [shareTerm('the fault', prices[fault] - prices.clearPage, cost), shareTerm('zeroing', prices.clearPage, cost)];
}

function deviceTerm({ deviceRead }: Prices): Term {
  return {
    name: 'the device',
    ns: deviceRead,
    formula: `${inUs(deviceRead)}: the major fault less the work of the CPU`,
    uses: ['faults.majorNs', 'faults.minorNs'],
  };
}

/**
 * @param pageNs what one page takes
 * @param threads what several copy threads make of it, as text
 */
export function copyTerm(pages: number, pageNs: number, threads: string): Term {
  const formula = `${String(pages)} × 4 KiB at ${digits(4096 / pageNs)} GB/s${threads}`;
  return { name: 'copying', ns: pages * pageNs, formula, uses: ['copyGbs', 'latencyNs', 'bandwidthGbs'] };
}

/** @param flushes how many times the CPUs are told */
export function flushTerm(cost: CostDescription, cpus: number, flushes = 1): Term {
  const eachNs = new LoadedLatency(cost).shootdownNs(cpus);
  const one = cpus === 0 ? 'nobody to tell' : `${inUs(cost.ipiNs)} + ${String(cpus - 1)} × ${inUs(cost.ipiFurtherNs)}`;
  const formula = flushes === 1 || cpus === 0 ? one : `${String(flushes)} × (${one})`;
  return { name: 'TLB shootdown', ns: flushes * eachNs, formula, uses: ['ipiNs', 'ipiFurtherNs'] };
}

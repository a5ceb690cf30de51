import { float64s } from '../arrays.js';

/** What time is spent on; each account is reported apart. */
export const ACCOUNT_FAULT = 2;
export const ACCOUNT_MIGRATION = 3;
/** The background reclaimer's own time: it runs on a clock of its own and costs no task anything (RC-18). */
export const ACCOUNT_BACKGROUND = 4;
/**
 * Faults taken again on pages that were unmapped and are still in memory, or that a mover took out to swap: part of what the
 * move costs.
 */
export const ACCOUNT_REFAULT = 5;
const ACCOUNTS = 6;
const NOW = 0;

let next = 0;
/** What is paid for, by its place in the meter's table of ns, which is filled once from the cost model. */
export const PRICE = {
  zeroPageFault: next++,
  anonFault: next++,
  /** One page more of a huge page. */
  clearPage: next++,
  fileFault: next++,
  shmemFault: next++,
  swapCacheFault: next++,
  cowFault: next++,
  /** The first write where the zero page was mapped. */
  zeroPageWriteFault: next++,
  writeInPlace: next++,
  /** On top of the fault: the device. Paid by who waits for it (`DeviceQueue`). */
  deviceRead: next++,
  deviceWrite: next++,
  /** A page that waits behind its neighbour on the device. */
  deviceNext: next++,
  /** Asking whether a page that was found in a cache lies where its policy wants it (C1..C6). */
  checkPage: next++,
  /** A move of it that was begun and given up: the page was isolated and put back, and a frame was looked for. */
  givenUpMove: next++,
  /** Control work of moving one page, without its copy: of a page that was unmapped before, or was nowhere mapped. */
  movePage: next++,
  moveHuge: next++,
  unmapPage: next++,
  /** What is left of `movePage` and `moveHuge` when `unmapPage` has been paid in the same move. */
  restOfMove: next++,
  restOfHugeMove: next++,
  moveCall: next++,
  /** Interrupting the first CPU of a flush, and each further one. */
  shootdown: next++,
  shootdownFurther: next++,
  fileCall: next++,
  scanPage: next++,
} as const satisfies Record<string, number>;
export type PriceName = keyof typeof PRICE;
export type Prices = Readonly<Record<PriceName, number>>;

/**
 * The clock of whoever runs now, and where its time went. All in one Float64Array, and payments name a price instead of
 * carrying a number, so that the hot path makes no heap number.
 */
export class Meter {
  private readonly cells = float64s(ACCOUNTS);
  /** `nowNs` as an array of one, for a loop that adds to it at every turn: a number handed over would be a heap number. */
  readonly clock = this.cells.subarray(NOW, NOW + 1);
  private readonly prices = float64s(next);
  private readonly copies: Float64Array;

  /**
   * @param prices ns by name
   * @param copyNs ns to copy one page, [from node][to node]
   */
  constructor(
    prices: Prices,
    copyNs: readonly (readonly number[])[],
    private readonly nodeCount: number,
  ) {
    for (const name of Object.keys(PRICE) as PriceName[]) this.prices[PRICE[name]] = prices[name];
    this.copies = Float64Array.from(copyNs.flat());
  }

  /** The current time, ns. A thread's own clock is set before it runs and taken back afterwards. */
  get nowNs(): number {
    return this.cells[NOW];
  }
  set nowNs(ns: number) {
    this.cells[NOW] = ns;
  }

  pay(account: number, price: number): void {
    const ns = this.prices[price];
    this.cells[NOW] += ns;
    this.cells[account] += ns;
  }

  payTimes(account: number, price: number, times: number): void {
    const ns = this.prices[price] * times;
    this.cells[NOW] += ns;
    this.cells[account] += ns;
  }

  payCopy(account: number, from: number, to: number): void {
    const ns = this.copies[from * this.nodeCount + to];
    this.cells[NOW] += ns;
    this.cells[account] += ns;
  }

  /** Waits until the time at `at` of `times` (an I/O ends then): the clock moves there if it is behind. */
  waitUntil(account: number, times: Float64Array, at: number): void {
    const wait = times[at] - this.cells[NOW];
    if (wait <= 0) return;
    this.cells[NOW] = times[at];
    this.cells[account] += wait;
  }

  /** What was paid from one account since it stood at `since` belongs to another: a mover's waits are part of the move. */
  rebook(from: number, since: number, to: number): void {
    this.cells[to] += this.cells[from] - since;
    this.cells[from] = since;
  }

  spent(account: number): number {
    return this.cells[account];
  }

  price(price: number): number {
    return this.prices[price];
  }
}

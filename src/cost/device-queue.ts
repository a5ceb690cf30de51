import { float64s } from '../arrays.js';
import { type Meter, PRICE } from './meter.js';

/** No request was made yet: no position follows it. */
const NOWHERE = -2;

/**
 * The device that swap and files are on. It serves up to `atOnce` requests at the same time, in the order in which they
 * were made; a request waits until one of them ends. On a device that serves one at a time (a disk), a request that has to
 * wait and lies right behind the one before it takes `PRICE.deviceNext`: the head is there already.
 *
 * Threads have clocks of their own, so a request may be made at an earlier time than the one before it; it waits for
 * it all the same. Same requests in the same order, same times.
 */
export class DeviceQueue {
  /** When each of those served at once is free again, ns. */
  readonly freeAt: Float64Array;
  /** Where the last request lay. */
  private last = NOWHERE;

  constructor(
    private readonly meter: Meter,
    atOnce: number,
  ) {
    this.freeAt = float64s(atOnce);
  }

  /**
   * Makes a request now, on the running clock.
   *
   * @param price what it takes when nobody else is served
   * @param position of its page on the device: neighbours follow each other
   * @returns who serves it: `freeAt` says when it ends (a time that is returned would be a heap number)
   */
  request(price: number, position: number): number {
    const { freeAt, meter } = this;
    let first = 0;
    for (let i = 1; i < freeAt.length; i++) if (freeAt[i] < freeAt[first]) first = i;
    const waits = freeAt[first] > meter.nowNs;
    const follows = waits && freeAt.length === 1 && position === this.last + 1;
    const takes = meter.price(price);
    freeAt[first] =
      (waits ? freeAt[first] : meter.nowNs) + (follows ? Math.min(takes, meter.price(PRICE.deviceNext)) : takes);
    this.last = position;
    return first;
  }

  /** A read that whoever makes it waits for. */
  read(account: number, position: number): void {
    this.meter.waitUntil(account, this.freeAt, this.request(PRICE.deviceRead, position));
  }
}

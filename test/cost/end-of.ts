import type { DeviceQueue } from '../../src/cost/index.js';

/** Makes a request. @returns when it ends, ns */
export function endOf(queue: DeviceQueue, price: number, position: number): number {
  return queue.freeAt[queue.request(price, position)];
}

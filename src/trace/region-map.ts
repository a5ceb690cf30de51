import type { Region } from './sidecar-schema.js';

/** Which region a page belongs to, found by bisection in the regions' order of pages. */
export class RegionMap {
  /** Ascending. */
  private readonly firstPages: Uint32Array;
  private readonly endPages: Uint32Array;
  private readonly places: Uint32Array;

  constructor(regions: readonly Region[]) {
    const order = regions.map((_, place) => place).sort((a, b) => regions[a].first_page - regions[b].first_page);
    this.places = Uint32Array.from(order);
    this.firstPages = Uint32Array.from(order, (place) => regions[place].first_page);
    this.endPages = Uint32Array.from(order, (place) => regions[place].first_page + regions[place].pages);
  }

  /** Index in `sidecar.regions` of the region with this page, -1 if there is none. */
  regionOfPage(page: number): number {
    let low = 0;
    let high = this.firstPages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.firstPages[middle] <= page) low = middle + 1;
      else high = middle;
    }
    return low > 0 && page < this.endPages[low - 1] ? this.places[low - 1] : -1;
  }
}

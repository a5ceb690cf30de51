/** Kernel: include/linux/mmzone.h, mm/page_alloc.c __setup_per_zone_wmarks(), 6.12 and 6.1; 2.6.16 where named. */

export interface ZoneSize {
  readonly managed: number;
  /** ZONE_MOVABLE: not counted as low memory. */
  readonly movable: boolean;
}
export interface Watermarks {
  readonly min: number;
  readonly low: number;
  readonly high: number;
  /** Where balancing ends under memory tiering; equal to `high` in kernels without it. */
  readonly promo: number;
}
/** Rule variant `watermarks`: how the marks of all zones follow from their sizes, in pages. */
export interface WatermarkRule {
  /** @param lowKib KiB of all zones up to NORMAL above their high mark */
  minFreeKbytes(lowKib: number): number;
  /** @param minFreeKbytes vm.min_free_kbytes as set by the administrator; undefined: computed from the memory */
  marks(zones: readonly ZoneSize[], hugePages: boolean, minFreeKbytes?: number): Watermarks[];
}

const KIB_PER_PAGE = 4;
/** watermark_scale_factor, in 1/10,000 of a zone. */
const SCALE_FACTOR = 10;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const isqrt = (value: number): number => Math.floor(Math.sqrt(value));
/** RC-1: a zone above NORMAL gets a token share. */
const tokenMin = (managed: number): number => clamp(Math.floor(managed / 1024), 32, 128);

/** RC-2: what transparent huge pages ask to be kept free, KiB. */
function hugePageReserveKib(zones: readonly ZoneSize[], lowPages: number): number {
  const populated = zones.filter((zone) => !zone.movable && zone.managed > 0).length;
  return KIB_PER_PAGE * Math.min(5632 * populated, Math.floor(lowPages / 20));
}

function share(minFreeKbytes: number, zone: ZoneSize, lowmem: number): number {
  return Math.floor(((minFreeKbytes / KIB_PER_PAGE) * zone.managed) / lowmem);
}

function rule6(movableHasToken: boolean): WatermarkRule {
  const minFreeKbytes = (lowKib: number): number => clamp(isqrt(16 * lowKib), 128, 262144);
  return {
    minFreeKbytes,
    marks(zones, hugePages, given) {
      const lowPages = sum(zones.filter((zone) => !zone.movable));
      const lowmem = movableHasToken ? lowPages : sum(zones);
      let kbytes = given ?? minFreeKbytes(lowPages * KIB_PER_PAGE);
      if (hugePages) kbytes = Math.max(kbytes, hugePageReserveKib(zones, lowPages));
      return zones.map((zone) => {
        const t = share(Math.floor(kbytes / KIB_PER_PAGE) * KIB_PER_PAGE, zone, Math.max(1, lowmem));
        const min = zone.movable && movableHasToken ? tokenMin(zone.managed) : t;
        const step = Math.max(Math.floor(t / 4), Math.floor((zone.managed * SCALE_FACTOR) / 10000));
        return { min, low: min + step, high: min + 2 * step, promo: min + 3 * step };
      });
    },
  };
}

function sum(zones: readonly ZoneSize[]): number {
  return zones.reduce((pages, zone) => pages + zone.managed, 0);
}

/** RC-1 [6.12]: MOVABLE zones take a token minimum and are not low memory. */
export const watermarks612 = rule6(true);
/** RC-1 [6.1]: MOVABLE zones share like the others. */
export const watermarks61 = rule6(false);
/** RC-1 [2.6.16]. */
export const watermarks2616: WatermarkRule = {
  minFreeKbytes: (lowKib) => clamp(isqrt(16 * lowKib), 128, 65536),
  marks(zones, _hugePages, given) {
    const lowmem = Math.max(1, sum(zones));
    const kbytes = given ?? this.minFreeKbytes(lowmem * KIB_PER_PAGE);
    return zones.map((zone) => {
      const min = share(kbytes, zone, lowmem);
      const high = min + Math.floor(min / 2);
      return { min, low: min + Math.floor(min / 4), high, promo: high };
    });
  },
};

import type { Meter } from '../cost/index.js';
import type { PageTables, Tlb, Topology } from '../hardware/index.js';
import type { BreakUp, SplitHuge, SwapOut, TryToUnmap } from '../migrate/index.js';
import type {
  Block,
  Files,
  ForEachHugePlace,
  ForEachPlace,
  Frames,
  HugePages,
  Lru,
  PageCache,
  SwapArea,
  Zones,
} from '../mm/index.js';
import type { Counters, Tracer } from '../stats/index.js';
import type { Pfn } from '../units.js';
import type { Batch } from './batch.js';
import type { ShrinkInactive } from './inactive.js';
import type { ReferenceTest } from './reference.js';

/** The modules that reclaim works on. */
export interface ReclaimParts {
  readonly topology: Topology;
  readonly frames: Frames;
  readonly zones: Zones;
  readonly lru: Lru;
  readonly tables: PageTables;
  readonly tlb: Tlb;
  readonly files: Files;
  readonly pageCache: PageCache;
  readonly swap: SwapArea;
  readonly swapOut: SwapOut;
  readonly block: Block;
  readonly tryToUnmap: TryToUnmap;
  readonly forEachMapping: ForEachPlace;
  /** null: the machine has no huge pages. */
  readonly splitHuge: SplitHuge | null;
  readonly breakUp: BreakUp | null;
  readonly huge: HugePages | null;
  readonly forEachHugePlace: ForEachHugePlace | null;
  readonly counters: Counters;
  readonly meter: Meter;
  /** Absent: nobody watches. */
  readonly tracer?: Tracer | null;
  /** RC-51: a file system that cannot let go of a page's buffers now; absent: every one can. */
  readonly buffersBusy?: (pfn: Pfn) => boolean;
}

/** What ages and shrinks the lists of a node, in either era, acts on. */
export interface NodeScannerParts extends Pick<
  ReclaimParts,
  'frames' | 'zones' | 'lru' | 'swap' | 'counters' | 'meter'
> {
  readonly batch: Batch;
  readonly reference: ReferenceTest;
  readonly shrinkInactive: ShrinkInactive;
  readonly swappiness: number;
}

/** What an administrator sets. */
export interface ReclaimSysctls {
  /** vm.swappiness, 0..200: how readily anonymous pages are taken instead of file pages. */
  readonly swappiness: number;
  /** vm.zone_reclaim_mode: bits 1 on, 2 write, 4 unmap (RC-65). */
  readonly zoneReclaimMode: number;
  /** Memory tiering: background reclaim goes on to the promo mark (TI-17). */
  readonly tiering: boolean;
}
export const DEFAULT_RECLAIM_SYSCTLS: ReclaimSysctls = { swappiness: 60, zoneReclaimMode: 0, tiering: false };

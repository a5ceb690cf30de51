import type { Topology } from '../hardware/index.js';
import type { BreakUp } from '../migrate/index.js';
import type { HugePages } from '../mm/index.js';
import { NO_PFN, type CpuId, type NodeId, type Pfn } from '../units.js';
import { Scan, SWAP_CLUSTER_MAX, type NodeScanner } from './scan.js';
import { FREED } from './shrink-list.js';
import { makeAllocator, type Allocator } from './allocate.js';
import { makeDirectReclaim } from './direct.js';
import { makeKswapd } from './kswapd.js';
import { makeListed } from './listed.js';
import { makeNodeReclaim, RECLAIM_ZONE } from './node-reclaim.js';
import { DEFAULT_RECLAIM_SYSCTLS, type ReclaimParts, type ReclaimSysctls } from './parts.js';
import type { ReclaimRule } from './rules.js';
import type { Refault } from './workingset.js';

export interface Reclaim extends Allocator {
  readonly refault: Refault;
  /** zone_reclaim_mode is on: nodes further apart than that are too far to share memory (RC-65). */
  readonly reclaimsNear: boolean;
  /** Wakes the node's background reclaimer, which runs at once, on this CPU's behalf and on a clock of its own. */
  wakeKswapd(node: NodeId, cpu: CpuId): void;
  /** The node lost all its memory, or got some back: its background reclaimer stops, or starts. */
  setMemory(node: NodeId, isThere: boolean): void;
  /** Takes one isolated page out of memory if it can be, used or not. @returns false: it is still isolated, the caller's */
  pageOut(pfn: Pfn, cpu: CpuId): boolean;
}

/** MP-43: on where memory is far away. Kernel: build_zonelists(), mm/page_alloc.c. */
function modeAtBoot(topology: Topology, { zoneReclaimBeyond }: ReclaimRule): number {
  const nodes = topology.allNodes();
  const isFar = nodes.some((from) => nodes.some((to) => topology.distance(from, to) > zoneReclaimBeyond));
  return isFar ? RECLAIM_ZONE : DEFAULT_RECLAIM_SYSCTLS.zoneReclaimMode;
}

/** HP-32: a pass over a node begins with huge pages that have unmapped parts, the oldest first: these are free at once. */
function breaksPartialFirst(lists: NodeScanner, huge: HugePages, breakUp: BreakUp | null): NodeScanner {
  return {
    ...lists,
    shrink(node, scan) {
      for (let i = 0; i < SWAP_CLUSTER_MAX; i++) {
        const head = huge.firstDeferred(node);
        if (head === NO_PFN || breakUp?.(head, scan.cpu) !== true) break;
      }
      lists.shrink(node, scan);
    },
  };
}

/** Wires allocator and reclaimers of one machine. */
export function makeReclaim(parts: ReclaimParts, rule: ReclaimRule, given: Partial<ReclaimSysctls> = {}): Reclaim {
  const sysctls = { ...DEFAULT_RECLAIM_SYSCTLS, ...given };
  const { scanner: lists, shrinkPage, refault } = rule.makeLists(parts, sysctls);
  const scanner = parts.huge === null ? lists : breaksPartialFirst(lists, parts.huge, parts.breakUp);
  const asked = new Scan(false);
  const kswapd = makeKswapd(
    { ...parts, scanner },
    { retriesWithoutCacheTrim: rule.retriesWithoutCacheTrim, tiering: sysctls.tiering },
  );
  const directReclaim = makeDirectReclaim({ ...parts, scanner, kswapd, listed: makeListed(parts.zones) });
  const zoneReclaimMode = given.zoneReclaimMode ?? modeAtBoot(parts.topology, rule);
  const allocator = makeAllocator({
    ...parts,
    ...{ kswapd, directReclaim, listed: makeListed(parts.zones) },
    nodeReclaim:
      (zoneReclaimMode & RECLAIM_ZONE) === 0 ? null : makeNodeReclaim({ ...parts, scanner }, zoneReclaimMode),
    roundsWithoutProgress: rule.roundsWithoutProgress,
  });
  return {
    ...allocator,
    refault,
    reclaimsNear: (zoneReclaimMode & RECLAIM_ZONE) !== 0,
    wakeKswapd(node, cpu) {
      kswapd.wake(node);
      kswapd.runWoken(cpu);
    },
    setMemory(node, isThere) {
      if (isThere) kswapd.start(node);
      else kswapd.stop(node);
    },
    pageOut(pfn, cpu) {
      asked.begin(cpu, 1);
      asked.ignoresReferences = true;
      return shrinkPage(pfn, asked) === FREED;
    },
  };
}

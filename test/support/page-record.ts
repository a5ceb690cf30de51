import type { Machine } from '../../src/engine/index.js';
import type { Pfn } from '../../src/units.js';

/** Everything that a failed move must leave as it was found (FP-70), vectors drained. */
export function recordOf(machine: Machine, pfn: Pfn): Record<string, unknown> {
  const { frames, lru, swap, files, zones, topology } = machine;
  lru.drainAll();
  const mapping = frames.mapping(pfn);
  return {
    ...{ flags: frames.flags(pfn), count: frames.count(pfn), mapcount: frames.mapcount(pfn) },
    ...{ mapping, index: frames.index(pfn), private: frames.private_(pfn), list: lru.listOf(pfn) },
    onLru: frames.isOnLru(pfn),
    inSwapCache: frames.isSwapCache(pfn) ? swap.cached(frames.private_(pfn) as never) : 0,
    inPageCache: mapping > 0 ? files.get(mapping).slots.get(frames.index(pfn)) : 0,
    lists: [...lru.sizes.slice(0, topology.nodeCount * 5)],
    free: topology.allNodes().map((node) => zones.free(node)),
    isolated: lru.isolated,
    content: machine.contents?.get(pfn),
  };
}

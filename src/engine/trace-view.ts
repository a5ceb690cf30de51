import * as pageFlags from '../mm/page-flags.js';
import type { TraceView } from '../stats/trace-log/index.js';
import type { Pfn } from '../units.js';
import type { Machine } from './machine.js';

const FLAGS = Object.entries(pageFlags)
  .filter(([name]) => name !== 'PG_NOT_WHEN_FREED')
  .map(([name, bit]) => [name.slice(3).toLowerCase(), bit] as const);

/** A machine as a trace log sees it. Asking changes nothing. */
export function traceView({ meter, frames, tables, topology, places }: Machine): TraceView {
  return {
    cpuCount: topology.cpuCount,
    nodeCount: topology.nodeCount,
    nowNs: () => meter.nowNs,
    nodeOf: (pfn) => frames.nodeOf(pfn as Pfn),
    flagsOf: (pfn) =>
      FLAGS.filter(([, bit]) => frames.has(pfn as Pfn, bit))
        .map(([name]) => name)
        .join(' '),
    countOf: (pfn) => frames.count(pfn as Pfn),
    mapcountOf: (pfn) => frames.mapcount(pfn as Pfn),
    vpnOf(pfn) {
      const first = places(pfn as Pfn).next();
      return first.done === true ? -1 : tables.vpnOf(first.value.page);
    },
  };
}

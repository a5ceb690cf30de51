import { MmError } from '../../errors.js';
import type { CostDescription } from '../../hardware/index.js';
import { loadFactor } from '../load-curve.js';
import { digits, explanation, type Explanation } from './term.js';

export interface AccessRequest {
  readonly cpuNode: number;
  readonly memNode: number;
  /** What goes over the link from the CPU's node to the memory at the same time, and what the memory delivers in all, GB/s. */
  readonly linkGbs: number;
  readonly memoryGbs: number;
  /** Misses in flight at once: each counts its share of the latency. */
  readonly mlp: number;
  /** The TLB does not know the page. */
  readonly missesTlb: boolean;
}

/**
 * One access that reaches memory, under a load that is given: what `LoadedLatency` takes for it when link and memory deliver that.
 *
 * @throws MmError BAD_OPTION for a load that link or memory cannot deliver
 */
export function explainAccess(cost: CostDescription, request: AccessRequest): Explanation {
  const { cpuNode, memNode, linkGbs, mlp } = request;
  const idleNs = cost.latencyNs[cpuNode][memNode];
  const memoryGbs = Math.max(linkGbs, request.memoryGbs);
  const ofLink = { name: 'the link', gbs: linkGbs, peak: cost.bandwidthGbs[cpuNode][memNode] };
  const ofMemory = { name: 'the memory', gbs: memoryGbs, peak: cost.bandwidthGbs[memNode][memNode] };
  for (const [option, { name, gbs, peak }] of [
    ['--load', ofLink],
    ['--memory-load', ofMemory],
  ] as const) {
    if (gbs > peak)
      throw new MmError(
        'BAD_OPTION',
        `${option} is ${String(gbs)}: ${name} from node ${String(cpuNode)} to node ${String(memNode)} delivers at most ${String(peak)} GB/s`,
      );
  }
  const busier = ofLink.gbs / ofLink.peak >= ofMemory.gbs / ofMemory.peak ? ofLink : ofMemory;
  const u = busier.gbs / busier.peak;
  const idle = `${digits(idleNs)} ns${mlp === 1 ? '' : ` / ${digits(mlp)} in flight`}`;
  const terms = [
    { name: 'idle latency', ns: idleNs / mlp, formula: idle, uses: ['latencyNs'] },
    {
      name: 'waiting, by the load',
      ns: (idleNs * (loadFactor(u) - 1)) / mlp,
      formula: `${idle} × (u/2 + 3u⁸/4), u = ${digits(busier.gbs)} / ${digits(busier.peak)} GB/s of ${busier.name} = ${digits(u)}`,
      uses: ['latencyNs', 'bandwidthGbs'],
    },
    ...(request.missesTlb
      ? [{ name: 'page-table walk', ns: cost.walkNs, formula: `${digits(cost.walkNs)} ns`, uses: ['walkNs'] }]
      : []),
  ];
  return explanation(
    `an access of a CPU of node ${String(cpuNode)} to memory of node ${String(memNode)}`,
    terms,
    u === 1
      ? ['At full load the queue grows until demand is what is delivered: the figure is the least it takes then.']
      : [],
  );
}

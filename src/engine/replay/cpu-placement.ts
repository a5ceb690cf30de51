import type { Topology } from '../../hardware/index.js';
import { MmError } from '../../errors.js';
import { asCpuId, type CpuId } from '../../units.js';

/** `cpus=` of a run: equal consecutive groups per node, round robin over nodes, node after node, or a list. */
export type CpuPlacement = 'blocks' | 'spread' | 'pack' | readonly number[];

/**
 * Which CPU each thread starts on. Only threads that have rows count, in ascending order of their number; the others
 * run where the first thread does.
 *
 * - blocks: thread i of T sits on node floor(i * N / T) of the N nodes with CPUs
 * - spread: thread i on node i mod N
 * - pack: the CPUs of the first node, then those of the next
 * - a list: thread i on its (i mod length)-th CPU
 *
 * Within a node threads take its CPUs in turn.
 */
export function placeThreads(tids: readonly number[], placement: CpuPlacement, topology: Topology): Map<number, CpuId> {
  const nodes = topology.allNodes().filter((node) => topology.cpusOf(node).length > 0);
  const used = new Map<number, number>();
  const onNode = (ordinal: number): CpuId => {
    const node = nodes[ordinal];
    const cpus = topology.cpusOf(node);
    const turn = used.get(node) ?? 0;
    used.set(node, turn + 1);
    return cpus[turn % cpus.length];
  };
  if (typeof placement !== 'string') checkList(placement, topology);
  const packed = nodes.flatMap((node) => topology.cpusOf(node));
  const choose = (i: number): CpuId => {
    if (placement === 'blocks') return onNode(Math.floor((i * nodes.length) / tids.length));
    if (placement === 'spread') return onNode(i % nodes.length);
    if (placement === 'pack') return packed[i % packed.length];
    return asCpuId(placement[i % placement.length]);
  };
  return new Map(tids.map((tid, i) => [tid, choose(i)]));
}

/** @throws MmError BAD_RUN for a CPU that is not there */
function checkList(list: readonly number[], topology: Topology): void {
  const present = new Set<number>(topology.allNodes().flatMap((node) => topology.cpusOf(node)));
  const absent = list.find((cpu) => !present.has(cpu));
  if (absent === undefined) return;
  throw new MmError(
    'BAD_RUN',
    `cpus=${list.join(',')}: CPU ${String(absent)} is not on this machine, which has CPUs 0-${String(topology.cpuCount - 1)}`,
  );
}

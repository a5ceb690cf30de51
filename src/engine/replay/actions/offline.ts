import { ACCOUNT_FAULT, ACCOUNT_MIGRATION } from '../../../cost/index.js';
import { errnoName, MmError } from '../../../errors.js';
import type { Leftover } from '../../../migrate/index.js';
import type { ActionSpec } from '../../../run/run-spec.js';
import type { LeftoverPage } from '../../../stats/index.js';
import { asNodeId, type NodeId, type Pfn } from '../../../units.js';
import type { OfflineResult } from '../../hotplug.js';
import type { Machine } from '../../machine.js';
import type { ActionParts, Done } from './action-parts.js';
import { idleCpu, swapCounts, swapSince } from './moving.js';

type OfflineSpec = ActionSpec & { kind: 'offline' };

/**
 * `offline=NODE`: an administrator takes the memory of a node away, block by block. It costs nobody of the trace but the time
 * in which pages are out of reach: threads of a process with pages there wait for the end of it (an upper bound, README).
 */
export function offline(spec: OfflineSpec, parts: ActionParts): Done {
  const { machine, tasks, clocks, calls, sidecar } = parts;
  const { meter } = machine;
  const node = offlineNode(spec, machine);
  const concerned = sidecar.processes.filter(({ pid }) => {
    const main = tasks.main(pid);
    return (
      main !== undefined &&
      calls()
        .numaMaps(main)
        .some(({ nodes }) => (nodes[node] ?? 0) > 0)
    );
  });
  const administrator = machine.process.newProcess(idleCpu(machine));
  const swapBefore = swapCounts(machine);
  const waited = meter.spent(ACCOUNT_FAULT);
  const from = clocks.frontier();
  meter.nowNs = from;
  const result = calls().hotplug.offlineNode(node, administrator);
  meter.rebook(ACCOUNT_FAULT, waited, ACCOUNT_MIGRATION);
  const ownNs = meter.nowNs - from;
  machine.process.exit(administrator);
  if (ownNs > 0) {
    for (const { pid } of concerned) {
      tasks.eachTask(pid, (_, index) => {
        clocks.heldUp(index, from, ownNs);
      });
    }
  }
  return {
    ...{ ownNs, pagesTouched: result.moved, swap: swapSince(machine, swapBefore) },
    note: noteOf(node, result),
    leftovers: result.leftovers.map((leftover) => describe(leftover, machine)),
  };
}

/** @throws MmError for a node that is not there, or has no memory */
export function offlineNode({ node: text, text: action }: OfflineSpec, { topology }: Machine): NodeId {
  const node = Number(text);
  if (node < topology.nodeCount && topology.pagesOfNode[node] > 0) return asNodeId(node);
  const what = node < topology.nodeCount ? 'has no memory' : 'is not there';
  const known = topology.allNodes().filter((id) => topology.pagesOfNode[id] > 0);
  throw new MmError(
    'BAD_RUN',
    `"${action}": node ${text} ${what}; nodes of this machine with memory: ${known.join(', ')}`,
  );
}

/** `66 pages moved, node 1 has no memory any more`, or what stayed and why. */
function noteOf(node: NodeId, { ret, blocks, moved, leftovers, isLast }: OfflineResult): string {
  const left = new Map<string, number>();
  for (const { reason } of leftovers) left.set(reason, (left.get(reason) ?? 0) + 1);
  const why = [...left].map(([reason, count]) => `${String(count)} ${reason}`).join(', ');
  const pages = `${String(moved)} pages moved`;
  if (ret === 0) return `${pages}, node ${String(node)} has no memory any more`;
  const gone = blocks > 0 ? `, ${String(blocks)} ${blocks === 1 ? 'block' : 'blocks'} gone` : '';
  const stayed = leftovers.length > 0 ? `, ${String(leftovers.length)} stay: ${why}` : '';
  const last = isLast === true && leftovers.length === 0 ? ', the last memory of the machine stays, empty' : '';
  return `${errnoName(-ret)}: ${pages}${gone}${stayed}${last}`;
}

/** Which page of the trace it is, as far as somebody maps it or its file knows. */
function describe({ pfn, reason }: Leftover, machine: Machine): LeftoverPage {
  return { frame: pfn, page: tracePageOf(pfn, machine), reason };
}

function tracePageOf(pfn: Pfn, { frames, files, tables, forEachMapping }: Machine): number | null {
  const mapping = frames.mapping(pfn);
  let page = mapping > 0 ? files.get(mapping).tracePageAt(frames.index(pfn)) : -1;
  forEachMapping(pfn, (vma, entry) => {
    if (page < 0 && vma.tracePage >= 0) page = vma.tracePage + tables.vpnOf(entry) - vma.start;
  });
  return page < 0 ? null : page;
}

import { parseNodes } from '../../../hardware/index.js';
import { MmError } from '../../../errors.js';
import type { ActionSpec } from '../../../run/run-spec.js';
import type { TraceProcess } from '../../../trace/index.js';
import type { NodeId } from '../../../units.js';
import type { Machine } from '../../machine.js';
import { MPOL_MF_MOVE } from '../../syscalls/mempolicy.js';
import { HAS_ENDED, type ActionParts, type Done } from './action-parts.js';
import { movePages } from './moving.js';

type Spec<Kind extends ActionSpec['kind']> = ActionSpec & { kind: Kind };

/** `move[=REGION]`: mbind(MOVE) with the run's policy on every area, or on those of a region. */
export function move({ region }: Spec<'move'>, process: TraceProcess, parts: ActionParts): Done {
  const { machine, memory, hasPolicy, runPolicy, calls } = parts;
  const main = parts.tasks.main(process.pid);
  const nodes = hasPolicy ? runPolicy.nodes : main ? [main.node] : []; // default: where the caller runs
  return movePages(process, parts, {
    by: 'itself',
    leaves: (node) => nodes.length > 0 && !nodes.includes(node),
    call(task) {
      const policy = hasPolicy ? machine.policy.newPolicy(task, runPolicy) : null;
      const ranges = memory.vmasOf(process.pid, task, region).map(({ start, pages }) => ({ start, pages }));
      const allowed = policy?.nodes ?? [];
      const results = ranges.map((range) => calls().policy.bindRange(task, range, policy, allowed, MPOL_MF_MOVE));
      return Math.min(0, ...results);
    },
  });
}

/** `migrate=FROM:TO`: migrate_pages(2) by a process with every capability. */
export function migrate(spec: Spec<'migrate'>, process: TraceProcess, parts: ActionParts): Done {
  const { machine, calls } = parts;
  const { from, to } = migrateNodes(spec, machine);
  const maxnode = machine.topology.nodeCount + 1;
  return movePages(process, parts, {
    by: 'another',
    leaves: (node) => from.includes(node) && !to.includes(node),
    call: (caller, target) => calls().pages.migratePages(caller, target, from, to, maxnode),
  });
}

export function migrateNodes({ from, to, text }: Spec<'migrate'>, machine: Machine): { from: NodeId[]; to: NodeId[] } {
  return { from: nodesWithMemory(from, text, machine), to: nodesWithMemory(to, text, machine) };
}

/** `swapout`: all pages of the process go out to swap, or are dropped if a file has them. */
export function swapout(process: TraceProcess, parts: ActionParts): Done {
  return movePages(process, parts, {
    by: 'another',
    leaves: () => true,
    call: (caller, target) => parts.calls().swap.swapOutProcess(caller, target),
  });
}

/** `cpuset=NODES`: the nodes of the group that the process is in change, with memory_migrate or without. */
export function cpuset(spec: Spec<'cpuset'>, process: TraceProcess, parts: ActionParts): Done {
  const { machine, tasks, calls } = parts;
  if (tasks.main(process.pid) === undefined) return HAS_ENDED;
  const nodes = cpusetNodes(spec, machine);
  const { cpusets } = calls();
  const name = `process ${String(process.pid)}`;
  const all = machine.topology.nodesWithMemory();
  const cpus = machine.topology.allNodes().flatMap((node) => machine.topology.cpusOf(node));
  if (cpusets.create(name, { cpus, mems: all }) === 0)
    tasks.eachTask(process.pid, (task) => cpusets.attach(name, task));
  cpusets.setMemoryMigrate(name, spec.migrates);
  const done = movePages(process, parts, {
    by: 'another',
    leaves: (node) => spec.migrates && !nodes.includes(node),
    call: (caller) => cpusets.setMems(name, nodes, caller),
  });
  const where = `nodes ${nodes.join(',')} from now on`;
  return { ...done, note: spec.migrates ? `${where}: ${done.note}` : `${where}; pages stay` };
}

export const cpusetNodes = ({ nodes, text }: Spec<'cpuset'>, machine: Machine): NodeId[] =>
  nodesWithMemory(nodes, text, machine);

/** @throws MmError for nodes that are not there, or if none of them has memory */
function nodesWithMemory(text: string, action: string, { topology }: Machine): NodeId[] {
  const hasMemory = (node: NodeId) => topology.hasMemory(node);
  const nodes = parseNodes(text, { nodeCount: topology.nodeCount, hasMemory, allowed: topology.nodesWithMemory() });
  const usable = nodes.filter(hasMemory);
  if (usable.length > 0) return usable;
  throw new MmError('BAD_RUN', `"${action}": no node of "${text}" has memory`);
}

import { parseNodes } from '../../../hardware/index.js';
import { EINVAL, MmError } from '../../../errors.js';
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
    to: nodes,
    call(task) {
      if (hasPolicy && runPolicy.nodes.length > 0 && !nodes.some((node) => machine.topology.hasMemory(node)))
        return -EINVAL;
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
  const [from, to] = [nodesNamed(spec.from, machine), nodesNamed(spec.to, machine)];
  const maxnode = machine.topology.nodeCount + 1;
  return movePages(process, parts, {
    by: 'another',
    leaves: (node) => from.includes(node) && !to.includes(node),
    to,
    call: (caller, target) => calls().pages.migratePages(caller, target, from, to, maxnode),
  });
}

/** `swapout`: all pages of the process go out to swap, or are dropped if a file has them. */
export function swapout(process: TraceProcess, parts: ActionParts): Done {
  return movePages(process, parts, {
    by: 'another',
    leaves: () => true,
    to: [],
    call: (caller, target) => parts.calls().swap.swapOutProcess(caller, target),
  });
}

/** `cpuset=NODES`: the nodes of the group that the process is in change, with memory_migrate or without. */
export function cpuset(spec: Spec<'cpuset'>, process: TraceProcess, parts: ActionParts): Done {
  const { machine, tasks, calls } = parts;
  if (tasks.main(process.pid) === undefined) return HAS_ENDED;
  const nodes = nodesNamed(spec.nodes, machine);
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
    to: nodes,
    call: (caller) => cpusets.setMems(name, nodes, caller),
  });
  if (done.errno !== undefined) return done;
  const where = `nodes ${nodes.join(',')} from now on`;
  return { ...done, note: spec.migrates ? `${where}: ${done.note}` : `${where}; pages stay` };
}

/**
 * The nodes that a text names, without those that never had memory. A node whose memory an earlier action took away stays in:
 * that is for the call to refuse. `all` is what has memory now.
 */
function nodesNamed(text: string, { topology }: Machine): NodeId[] {
  const hadMemory = (node: NodeId) => topology.pagesOfNode[node] > 0;
  const hasMemory = (node: NodeId) => topology.hasMemory(node);
  const allowed = topology.allNodes().filter(hadMemory);
  return parseNodes(text, { nodeCount: topology.nodeCount, hasMemory, allowed }).filter(hadMemory);
}

/** @throws MmError for nodes that are not there, or if none of them has memory: before the run */
export function checkNodes(text: string, action: string, machine: Machine): void {
  if (nodesNamed(text, machine).length > 0) return;
  throw new MmError('BAD_RUN', `"${action}": no node of "${text}" has memory`);
}

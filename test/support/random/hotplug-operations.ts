import type { Choices, Operation } from './operation.js';
import type { ProgramState } from './program-state.js';

/** One block or all of a node's; in the name of a task, whose cpuset limits where pages go, or of nobody. */
function takeAway(state: ProgramState, [a, b, c, d]: Choices): boolean {
  const { calls, log, coverage, nodesWithMemory } = state;
  const node = nodesWithMemory[a % nodesWithMemory.length];
  const process = state.processAt(b);
  const asker = process === null || c % 2 === 0 ? undefined : state.taskAt(process, c >>> 1);
  const online = calls.hotplug.blocksOf(node).filter(({ isOnline }) => isOnline);
  const { ret, moved, leftovers } = log.inNobodysName(() =>
    d % 3 === 0
      ? calls.hotplug.offlineBlock(online[(d >>> 8) % online.length], asker)
      : calls.hotplug.offlineNode(node, asker),
  );
  coverage.event('page that could not leave', leftovers.length);
  coverage.event('left a node that lost memory', moved);
  coverage.event(ret === 0 ? 'memory went away' : 'memory stayed: not all could leave');
  return true;
}

function bringBack(state: ProgramState, [a, b]: Choices): boolean {
  const { calls, log, machine } = state;
  const gone = machine.topology
    .allNodes()
    .flatMap((node) => calls.hotplug.blocksOf(node))
    .filter(({ isOnline }) => !isOnline);
  if (gone.length === 0) return false;
  const block = gone[a % gone.length];
  log.inNobodysName(() => (b % 3 === 0 ? calls.hotplug.onlineBlock(block) : calls.hotplug.onlineNode(block.node))); // groups take their pages along
  return true;
}

/** Memory of nodes goes away and comes back. */
export const HOTPLUG: readonly Operation[] = [
  { name: 'take memory of a node away', weight: 2, run: takeAway },
  { name: 'bring memory of a node back', weight: 4, run: bringBack },
];

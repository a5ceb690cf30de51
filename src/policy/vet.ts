import type { Fault, PolicyContext } from './contract.js';
import { NO_NODE } from '../units.js';

/** What a policy can be asked. */
export type Question = 'place' | 'misplaced';

/**
 * Is the answer one that the question allows? The nodes of the policy, where it was given any, are all it may name: unless the
 * allocation is kept to them anyway (`fallback`), and then `place` only says where it starts.
 *
 * @returns what was expected instead, or null if nothing is wrong
 */
export function expectedInstead(
  question: Question,
  answer: number,
  { nodes, world }: Pick<PolicyContext, 'nodes' | 'world'>,
  isKept: boolean,
): string | null {
  if (question === 'misplaced' && answer === NO_NODE) return null;
  const orStay = question === 'misplaced' ? ', or NO_NODE to let the page stay' : '';
  if (!Number.isInteger(answer) || answer < 0 || answer >= world.nodeCount)
    return `a node of the machine, 0 to ${String(world.nodeCount - 1)}${orStay}`;
  const isFree = nodes.length === 0 || (question === 'place' && isKept);
  if (isFree || nodes.includes(answer as never)) return null;
  return `one of its nodes ${nodeText(nodes)}${orStay}`;
}

/** `place of page 7 (index 35, thread 2 on node 1, a write)`. */
export function questionText(question: Question, fault: Fault): string {
  const { index, hasAddress, rotor, cpuNode, pageNode, isWrite, thread, page } = fault;
  const facts = [
    `index ${String(index)}`,
    `thread ${String(thread)} on node ${String(cpuNode)}`,
    ...(question === 'misplaced' ? [`found on node ${String(pageNode)}`] : []),
    ...(hasAddress ? [] : [`without an address, turn of node ${String(rotor)}`]),
    isWrite ? 'a write' : 'a read',
  ];
  return `${question} of ${page < 0 ? 'a page' : `page ${String(page)}`} (${facts.join(', ')})`;
}

const SHOWN = 8;

function nodeText(nodes: readonly number[]): string {
  return nodes.slice(0, SHOWN).join(', ') + (nodes.length > SHOWN ? ' …' : '');
}

import { EINVAL } from '../../errors.js';
import { parseNodes } from '../../hardware/index.js';
import type { FileObject } from '../../mm/index.js';
import type { NodeId } from '../../units.js';
import {
  makePolicy,
  MODE_WORDS,
  modeFor,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  type NewPolicyParts,
} from './new-policy.js';

/**
 * The `mpol=` option of a tmpfs mount: MODE[=static|relative][:NODES]. The policy covers the whole index range of each
 * new file (K-P2). @returns 0 or -EINVAL. Kernel: mpol_parse_str(), mm/mempolicy.c
 */
export function setMountPolicy(
  file: FileObject,
  text: string,
  allowed: readonly NodeId[],
  parts: NewPolicyParts,
): number {
  const [head, nodeText] = splitOnce(text, ':');
  const [word, flagText] = splitOnce(head, '=');
  const mode = MODE_WORDS.indexOf(word);
  if (mode < 0 || mode >= parts.modeRule.max) return -EINVAL;
  const flags = flagText === 'static' ? MPOL_F_STATIC_NODES : flagText === 'relative' ? MPOL_F_RELATIVE_NODES : 0;
  if (flagText !== null && flags === 0) return -EINVAL;
  const nodes = readNodes(nodeText, parts);
  if (nodes === null) return -EINVAL;
  const given =
    (mode === 3 || mode === 6) && nodeText === null ? allowed.filter((node) => parts.world.hasMemory(node)) : nodes;
  if (mode === 1 && given.length > 1) return -EINVAL;
  const inForce = modeFor({ mode, flags }, [...given], parts.modeRule);
  if (inForce === null) return 0;
  if (inForce < 0) return inForce;
  const policy = makePolicy(inForce, flags, given, allowed, parts);
  if (typeof policy === 'number') return policy;
  file.setPolicy(0, file.sizePages, policy);
  policy.refs--; // the object's ranges hold it
  return 0;
}

function readNodes(text: string | null, { world }: NewPolicyParts): NodeId[] | null {
  if (text === null) return [];
  try {
    const nodes = parseNodes(text, {
      nodeCount: world.nodeCount,
      hasMemory: (node) => world.hasMemory(node),
      allowed: [],
    });
    return nodes.every((node) => world.hasMemory(node)) ? nodes : null;
  } catch {
    return null;
  }
}

function splitOnce(text: string, at: string): [string, string | null] {
  const i = text.indexOf(at);
  return i < 0 ? [text, null] : [text.slice(0, i), text.slice(i + 1)];
}

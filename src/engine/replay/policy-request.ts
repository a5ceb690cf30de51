import { MmError, nearestName } from '../../errors.js';
import { parseNodes, type Topology } from '../../hardware/index.js';
import type { MempolicyRequest } from '../../mm/index.js';
import type { OptionValues, PolicyDefinition } from '../../policy/index.js';
import type { PolicySpec } from '../../run/run-spec.js';
import type { ModeRule } from '../syscalls/new-policy.js';
import type { NodeId } from '../../units.js';

/** A policy of a RUN word, checked against its own declaration and the machine: what mm/ makes a Mempolicy from. */
export function policyRequest(
  spec: PolicySpec,
  definition: PolicyDefinition,
  topology: Topology,
  allowed: readonly NodeId[],
  { rule, profile }: { readonly rule: ModeRule; readonly profile: string },
  bestNodes?: Int16Array,
): MempolicyRequest {
  checkMode(spec, definition, rule, profile);
  return {
    definition,
    nodes: nodesFor(spec, definition, topology, allowed),
    flag: spec.flags.find((flag) => flag === 'static' || flag === 'relative') ?? null,
    options: optionsFor(spec, definition),
    ...(spec.flags.includes('numa_balancing') && { numaBalancing: true }),
    ...(bestNodes && { bestNodes }),
  };
}

/** Does the profile's kernel have the mode, and the flags with it? */
function checkMode(spec: PolicySpec, { name, mode }: PolicyDefinition, rule: ModeRule, profile: string): void {
  if (mode !== undefined && mode.number >= rule.max) {
    throw new MmError('BAD_RUN', `policy "${name}" (${mode.name}) does not exist under profile ${profile}`);
  }
  if (spec.flags.length > 0 && mode !== undefined && rule.flags === 0) {
    throw new MmError(
      'BAD_RUN',
      `policy "${name}": profile ${profile} has no flags of modes, and got ":${spec.flags[0]}"`,
    );
  }
  const balances = mode !== undefined && rule.balancing.includes(mode.number);
  if (spec.flags.includes('numa_balancing') && !balances) {
    throw new MmError(
      'BAD_RUN',
      `policy "${name}" does not take ":numa_balancing" under profile ${profile}; ${rule.balancing.length > 1 ? 'bind and preferred-many do' : 'bind does'}`,
    );
  }
}

function nodesFor(
  spec: PolicySpec,
  definition: PolicyDefinition,
  topology: Topology,
  allowed: readonly NodeId[],
): readonly NodeId[] {
  const { name } = definition;
  if (spec.nodes === null) {
    if (definition.nodes !== 'some') return [];
    throw new MmError(
      'BAD_RUN',
      `policy "${name}" needs nodes: write ${spec.name}=all, ${spec.name}=0-1 or ${spec.name}=0`,
    );
  }
  if (definition.nodes === 'none') {
    throw new MmError('BAD_RUN', `policy "${name}" takes no nodes: it was given "${spec.nodes}"`);
  }
  const nodes = parseNodes(spec.nodes, {
    nodeCount: topology.nodeCount,
    hasMemory: (node) => topology.hasMemory(node),
    allowed: [...allowed],
  });
  const usable = spec.flags.includes('relative') ? nodes : nodes.filter((node) => topology.hasMemory(node));
  if (usable.length === 0) throw new MmError('BAD_RUN', `policy "${name}": no node of "${spec.nodes}" has memory`);
  return definition.nodes === 'optional' ? usable.slice(0, 1) : usable; // the lowest of several (K-N2)
}

/** Options of a policy or a balancer, checked against what it declares. */
export function optionsFor(
  spec: Pick<PolicySpec, 'options'>,
  definition: Pick<PolicyDefinition, 'name' | 'options'>,
): OptionValues {
  const declared = definition.options ?? {};
  const values: Record<string, number | string | boolean> = {};
  for (const [name, option] of Object.entries(declared)) values[name] = option.initial;
  for (const [name, text] of Object.entries(spec.options)) {
    const option = (declared as Record<string, (typeof declared)[string] | undefined>)[name];
    if (option === undefined) {
      const near = nearestName(name, Object.keys(declared));
      const known = Object.keys(declared).join(', ') || 'none';
      throw new MmError(
        'BAD_RUN',
        `policy "${definition.name}" has no option "${name}"${near === undefined ? '' : `; did you mean "${near}"?`} Its options: ${known}`,
      );
    }
    values[name] = optionValue(definition.name, name, option.kind, text);
  }
  return values;
}

function optionValue(
  policy: string,
  name: string,
  kind: 'number' | 'text' | 'boolean',
  text: string,
): number | string | boolean {
  if (kind === 'text') return text;
  if (kind === 'number') {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
  } else if (text === 'on' || text === 'true') return true;
  else if (text === 'off' || text === 'false') return false;
  const expected = kind === 'number' ? 'a number' : 'on or off';
  throw new MmError('BAD_RUN', `policy "${policy}", option "${name}": expected ${expected}, got "${text}"`);
}

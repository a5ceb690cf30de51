import type { Command } from 'commander';
import type { Shell } from '../shell.js';
import { bundledPolicies, loadPolicy } from '../../engine/index.js';
import type { PolicyDefinition } from '../../policy/index.js';
import { stableJson, tableText } from '../../report/index.js';

/** `mof policy list|show`: the policies a run can start with. */
export function addPolicy(program: Command, shell: Shell): void {
  const policy = program.command('policy').description('the placement policies').usage('list | show NAME|FILE');
  policy
    .command('list')
    .description('the bundled policies; your own is a file: see show')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      const policies = await bundledPolicies();
      shell.out(json ? stableJson(policies.map(plainOf)) : listText(policies, shell));
    });
  policy
    .command('show')
    .description('what a policy takes and how it behaves')
    .argument('<NAME|FILE>', 'a bundled policy, the file of one (./mine.ts), or a package')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  mof policy show interleave\n  mof policy show ./mine.ts')
    .action(async (name: string, { json }: { json?: true }) => {
      const found = await loadPolicy(name, shell.cwd);
      shell.out(json ? stableJson(plainOf(found)) : showText(found, shell));
    });
}

const NODES = { none: 'none', optional: 'one, or none for the node of the CPU', some: 'one or more' } as const;
const FALLBACK = {
  any: 'any other node, the nearest first',
  within: 'its own nodes only, the nearest first',
  'within-then-any': 'its own nodes, then any other',
} as const;
const REBIND = { remap: 'each node becomes its counterpart', keep: 'stays as given' } as const;

function listText(policies: readonly PolicyDefinition[], { paint }: Shell): string {
  const rows = policies.map(({ name, nodes, about, attainable }) => [
    name,
    nodes === 'none' ? '' : nodes === 'optional' ? '[=NODE]' : '=NODES',
    about,
    attainable === false ? 'yardstick' : '',
  ]);
  return `${tableText({ title: 'Policies', head: ['name', '', '', ''], rows, wordColumns: [0, 1, 2, 3] }, paint)}\n`;
}

function showText(policy: PolicyDefinition, { paint }: Shell): string {
  const facts = [
    ['NODES', NODES[policy.nodes]],
    ['when its node is full', FALLBACK[policy.fallback]],
    ['when the allowed nodes change', REBIND[policy.rebind]],
    ['kernel mode', policy.mode ? `${policy.mode.name} (${String(policy.mode.number)})` : 'none'],
    ['needs a pass over the trace first', policy.prepass === undefined ? 'no' : 'yes'],
    ['can be had on a real machine', policy.attainable === false ? 'no: a yardstick, it cannot win' : 'yes'],
  ];
  const options = Object.entries(policy.options ?? {}).map(([name, { kind, initial, about }]) => [
    `:${name}=${kind.toUpperCase()}`,
    String(initial),
    about,
  ]);
  const sections = [
    tableText({ title: `${policy.name}: ${policy.about}`, head: ['', ''], rows: facts, wordColumns: [0, 1] }, paint),
  ];
  if (options.length > 0) {
    sections.push(
      tableText({ title: 'Options', head: ['option', 'default', ''], rows: options, wordColumns: [0, 1, 2] }, paint),
    );
  }
  return `${sections.join('\n\n')}\n`;
}

/** The declaration without its code. */
function plainOf({
  name,
  about,
  nodes,
  fallback,
  rebind,
  mode,
  options,
  prepass,
  attainable,
}: PolicyDefinition): object {
  return {
    name,
    about,
    nodes,
    fallback,
    rebind,
    mode,
    options: options ?? {},
    prepass,
    attainable: attainable ?? true,
  };
}

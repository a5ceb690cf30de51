import type { Command } from 'commander';
import { bundledMachines, loadMachine } from '../load-machine.js';
import type { Shell } from '../shell.js';
import { DEFAULT_MACHINE, formatList, formatPages, type MachineDescription } from '../../hardware/index.js';
import { stableJson, tableText } from '../../report/index.js';

/** `mof machine list|show`: the machines a run can take place on. */
export function addMachine(program: Command, shell: Shell): void {
  const machine = program.command('machine').description('the machines to run on').usage('list | show NAME|FILE');
  machine
    .command('list')
    .description('the bundled machines')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      const { machines } = await bundledMachines();
      shell.out(json ? stableJson(machines) : listText(machines, shell));
    });
  machine
    .command('show')
    .description('all values of a machine, and where each comes from')
    .argument('<NAME|FILE>', 'a bundled machine, or the file of one')
    .option('--json', 'as JSON')
    .addHelpText('after', `\nExamples:\n  mof machine show ${DEFAULT_MACHINE}\n  mof machine show ./mine.json --json`)
    .action(async (nameOrFile: string, { json }: { json?: true }) => {
      const found = await loadMachine(nameOrFile);
      const { sources } = await bundledMachines();
      shell.out(json ? stableJson(found) : showText(found, sources, shell));
    });
}

function listText(machines: readonly MachineDescription[], { paint }: Shell): string {
  const rows = machines.map(({ name, title, nodes }) => [
    name === DEFAULT_MACHINE ? `${name} (default)` : name,
    String(nodes.length),
    String(nodes.reduce((sum, node) => sum + node.cpus.length, 0)),
    formatPages(nodes.reduce((sum, node) => sum + node.pages, 0)),
    title,
  ]);
  const table = { title: 'Machines', head: ['name', 'nodes', 'CPUs', 'memory', ''], rows, wordColumns: [0, 4] };
  return `${tableText(table, paint)}\n`;
}

/** Larger tables do not fit a screen. */
const MATRIX_NODES = 16;

/** @param sources publications that the origins of values refer to as `[id]` */
function showText(machine: MachineDescription, sources: Readonly<Record<string, string>>, { paint }: Shell): string {
  const { nodes, cost, distance, origins, assumed } = machine;
  const nodeRows = nodes.map(({ cpus, pages, movable }, id) => [
    String(id),
    cpus.length === 0 ? 'none' : formatList(cpus),
    pages === 0 ? 'none' : formatPages(pages),
    movable ? 'movable' : '',
  ]);
  const matrix = (title: string, table: readonly (readonly number[])[]) => {
    if (nodes.length > MATRIX_NODES)
      return `${paint('bold', title)}\n  ${String(nodes.length)} rows and columns: see --json`;
    return tableText(
      {
        title,
        head: ['from \\ to', ...nodes.map((_, to) => String(to))],
        rows: table.map((row, from) => [
          String(from),
          ...row.map((value) => (Number.isFinite(value) ? String(value) : '-')),
        ]),
      },
      paint,
    );
  };
  const originRows = (origins ?? []).map(({ field, value, mark, source }) => [field, value, mark, source]);
  const isTold = (text: string) =>
    origins?.some(({ field, source }) => text.startsWith(`${field}:`) && text.includes(source));
  const isNamed = (id: string) =>
    origins?.some(({ source }) => source.includes(`[${id}]`) || source.includes(`[${id} `));
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['Assumed besides', assumed.filter((text) => !isTold(text))],
    [
      'Sources',
      Object.entries(sources)
        .filter(([id]) => isNamed(id))
        .map(([id, text]) => `[${id}] ${text}`),
    ],
  ];
  const sections = [
    tableText(
      {
        title: `${machine.name}: ${machine.title}`,
        head: ['node', 'CPUs', 'memory', ''],
        rows: nodeRows,
        wordColumns: [1, 3],
      },
      paint,
    ),
    matrix('Distance', distance),
    matrix('Idle latency, ns', cost.latencyNs),
    matrix('Bandwidth, GB/s', cost.bandwidthGbs),
    ...(originRows.length > 0
      ? [
          tableText(
            {
              title: 'Values and where they come from',
              head: ['value', '', 'known how', 'source'],
              rows: originRows,
              wordColumns: [0, 1, 2, 3],
            },
            paint,
          ),
        ]
      : []),
    ...lists
      .filter(([, lines]) => lines.length > 0)
      .map(([title, lines]) => [paint('bold', title), ...lines.map((line) => `  - ${line}`)].join('\n')),
  ];
  return `${sections.join('\n\n')}\n`;
}

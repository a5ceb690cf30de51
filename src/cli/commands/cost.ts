import type { Command } from 'commander';
import { comparedText, explained, explainedText, type Explained } from '../cost-report.js';
import { bundledMachines, loadMachine } from '../load-machine.js';
import { decimalNumber, oneOf, wholeNumber } from '../option-values.js';
import type { Shell } from '../shell.js';
import {
  EXPLAINED_FAULTS,
  explainAccess,
  explainFault,
  explainMigration,
  MOVERS,
  type ExplainedFault,
  type Explanation,
  type Mover,
} from '../../cost/index.js';
import { profileNamed, rulesOf } from '../../engine/index.js';
import { MmError, nearestName } from '../../errors.js';
import { DEFAULT_MACHINE, onDevice, parseMemorySize, type MachineDescription } from '../../hardware/index.js';
import { stableJson } from '../../report/index.js';

const FAULTS = Object.keys(EXPLAINED_FAULTS) as ExplainedFault[];
const WAYS = Object.keys(MOVERS) as Mover[];
const HUGE_PAGES = 512;
const MOST_PAGES = 2 ** 28;

interface CommonFlags {
  readonly machine: string;
  readonly json?: true;
}
interface AccessFlags extends CommonFlags {
  readonly cpuNode: number;
  readonly memNode: number;
  readonly load: number;
  readonly memoryLoad: number;
  readonly mlp: number;
  readonly tlbMiss?: true;
}
interface MoveFlags extends CommonFlags {
  readonly from: number;
  readonly to: number;
  readonly cpus: number;
}
interface MigrationFlags extends MoveFlags {
  readonly by: Mover | 'all';
  readonly pages: number;
  readonly folio: number;
  readonly copyThreads: number;
  readonly profile: string;
  readonly swap?: 'disk' | 'flash';
}

/** `mof cost explain access|fault|migration`: which terms add up to what something takes. */
export function addCost(program: Command, shell: Shell): void {
  const explain = program
    .command('cost')
    .description('what things take on a machine, term by term')
    .usage('explain access | fault KIND | migration')
    .command('explain')
    .description('which terms add up to the time of an access, a fault or a migration, and what each rests on')
    .usage('access | fault KIND | migration');
  addAccess(explain, shell);
  addFault(explain, shell);
  addMigration(explain, shell);
}

function addAccess(explain: Command, shell: Shell): void {
  withMachine(explain.command('access'))
    .description('one access that reaches memory')
    .option('--cpu-node <N>', 'where the CPU is', wholeNumber('--cpu-node', 0), 0)
    .option('--mem-node <N>', 'where the memory is', wholeNumber('--mem-node', 0), 0)
    .option('--load <GB/s>', 'what goes over this link at the same time', decimalNumber('--load', 0), 0)
    .option('--memory-load <GB/s>', 'what this memory delivers in all, if more', decimalNumber('--memory-load', 0), 0)
    .option('--mlp <N>', 'misses in flight at once; divides their latency', decimalNumber('--mlp', 1), 1)
    .option('--tlb-miss', 'the TLB does not know the page')
    .addHelpText(
      'after',
      '\nExamples:\n  mof cost explain access --mem-node 1\n  mof cost explain access --cpu-node 0 --mem-node 1 --load 30 --tlb-miss',
    )
    .action(async (flags: AccessFlags) => {
      const machine = await loadMachine(flags.machine);
      const { cpuNode, memNode } = flags;
      if (nodeOf(machine, '--cpu-node', cpuNode).cpus.length === 0)
        throw new MmError(
          'BAD_OPTION',
          `--cpu-node is ${String(cpuNode)}: node ${String(cpuNode)} of ${machine.name} has no CPUs`,
        );
      memoryOf(machine, '--mem-node', memNode);
      const { load: linkGbs, memoryLoad: memoryGbs, mlp, tlbMiss: missesTlb = false } = flags;
      await show(
        explainAccess(machine.cost, { cpuNode, memNode, linkGbs, memoryGbs, mlp, missesTlb }),
        { machine, flags, request: { cpuNode, memNode, linkGbs, memoryGbs, mlp, missesTlb } },
        shell,
      );
    });
}

function addFault(explain: Command, shell: Shell): void {
  withNodes(withMachine(explain.command('fault')))
    .description('one fault')
    .argument('<KIND>', 'see below')
    .addHelpText(
      'after',
      `\nKinds:\n${FAULTS.map((kind) => `  ${kind.padEnd(16)} ${EXPLAINED_FAULTS[kind]}`).join('\n')}\n\nExamples:\n  mof cost explain fault anon\n  mof cost explain fault misplaced --machine hp-rx8620 --from 0 --to 1`,
    )
    .action(async (kind: string, flags: MoveFlags) => {
      const machine = await loadMachine(flags.machine);
      const request = { kind: faultOf(kind), cpus: cpusOf(machine, flags), ...nodesOf(machine, flags) };
      await show(explainFault(machine.cost, request), { machine, flags, request }, shell);
    });
}

function addMigration(explain: Command, shell: Shell): void {
  withNodes(withMachine(explain.command('migration')))
    .description('one move of pages')
    .option('--by <WAY>', 'see below; all: beside each other', oneOf('--by', [...WAYS, 'all']), 'mbind')
    .option('--pages <N>', 'pages of 4 KiB', wholeNumber('--pages', 1), 1)
    .option('--folio <SIZE>', 'size of the folios they are in, 4KiB to 2MiB', folioOf, 1)
    .option('--copy-threads <N>', 'threads that copy', wholeNumber('--copy-threads', 1), 1)
    .option('--profile <NAME>', 'the kernel: how many pages it flushes at once (mof policy list)', 'mof')
    .option('--swap <disk|flash>', 'another device to swap to than the machine has', oneOf('--swap', ['disk', 'flash']))
    .addHelpText(
      'after',
      `\nWays:\n${WAYS.map((way) => `  ${way.padEnd(14)} ${MOVERS[way]}`).join('\n')}\n\nExamples:\n  mof cost explain migration --by move_pages --pages 512 --cpus 3\n  mof cost explain migration --by move_pages --pages 512 --folio 2MiB --copy-threads 8 --machine haswell-e5-2640v3\n  mof cost explain migration --by all --pages 100 --swap disk`,
    )
    .action(async (flags: MigrationFlags) => {
      const named = await loadMachine(flags.machine);
      const machine = flags.swap === undefined ? named : onDevice(named, flags.swap);
      const { pages, folio: folioPages, copyThreads } = flags;
      if (pages > MOST_PAGES)
        throw new MmError('BAD_OPTION', `--pages is "${String(pages)}"; expected at most ${String(MOST_PAGES)}`);
      const common = { pages, folioPages, copyThreads, cpus: cpusOf(machine, flags), ...nodesOf(machine, flags) };
      const { flushBatch } = rulesOf(profileNamed(flags.profile).rules);
      const explainBy = (by: Mover): Explanation => explainMigration(machine.cost, { ...common, flushBatch, by });
      if (flags.by !== 'all') {
        const request = { by: flags.by, ...common, profile: flags.profile };
        await show(explainBy(flags.by), { machine, flags, request }, shell);
        return;
      }
      const ways = WAYS.map((name) => ({ name, explained: explained(explainBy(name), machine) }));
      const request = { ...common, profile: flags.profile };
      shell.out(
        flags.json
          ? stableJson(ways.map((way) => plainOf(way.explained, machine, { by: way.name, ...request })))
          : comparedText(ways, machine.name, pages, shell.paint),
      );
    });
}

function withMachine(command: Command): Command {
  return command
    .option('--machine <NAME|FILE>', 'a bundled machine (mof machine list) or the file of one', DEFAULT_MACHINE)
    .option('--json', 'as JSON');
}

function withNodes(command: Command): Command {
  return command
    .option('--from <N>', 'where the page lies', wholeNumber('--from', 0), 0)
    .option('--to <N>', 'where it goes', wholeNumber('--to', 0), 1)
    .option('--cpus <N>', 'other CPUs whose TLBs may know it', wholeNumber('--cpus', 0), 0);
}

interface Setting {
  readonly machine: MachineDescription;
  readonly flags: CommonFlags;
  readonly request: object;
}

async function show(
  explanation: Explanation,
  { machine, flags, request }: Setting,
  { out, paint }: Shell,
): Promise<void> {
  const whole = explained(explanation, machine);
  const { sources } = await bundledMachines();
  out(flags.json ? stableJson(plainOf(whole, machine, request)) : explainedText(whole, machine.name, sources, paint));
}

function plainOf(
  { what, terms, totalNs, constants, assumed }: Explained,
  { name }: MachineDescription,
  request: object,
) {
  return { machine: name, request, what, terms, totalNs, constants, assumed };
}

function faultOf(text: string): ExplainedFault {
  const found = FAULTS.find((kind) => kind === text);
  if (found !== undefined) return found;
  const near = nearestName(text, FAULTS);
  const hint = near === undefined ? `expected ${FAULTS.join(', ')}` : `did you mean "${near}"?`;
  throw new MmError('BAD_OPTION', `no kind of fault "${text}"; ${hint}`);
}

/** `64KiB` as pages: a power of two, from one page to a huge page. */
function folioOf(text: string): number {
  const pages = parseMemorySize(text);
  if (pages !== undefined && pages >= 1 && pages <= HUGE_PAGES && Number.isInteger(Math.log2(pages))) return pages;
  throw new MmError('BAD_OPTION', `--folio is "${text}"; expected a power of two from 4KiB to 2MiB`);
}

function nodeOf(machine: MachineDescription, option: string, node: number) {
  if (node < machine.nodes.length) return machine.nodes[node];
  const last = machine.nodes.length - 1;
  throw new MmError(
    'BAD_OPTION',
    `${option} is ${String(node)}, but ${machine.name} has ${last === 0 ? 'node 0 alone' : `nodes 0 to ${String(last)}`}`,
  );
}

function memoryOf(machine: MachineDescription, option: string, node: number): void {
  if (nodeOf(machine, option, node).pages === 0)
    throw new MmError(
      'BAD_OPTION',
      `${option} is ${String(node)}: node ${String(node)} of ${machine.name} has no memory`,
    );
}

function nodesOf(machine: MachineDescription, { from, to }: MoveFlags) {
  memoryOf(machine, '--from', from);
  memoryOf(machine, '--to', to);
  return { fromNode: from, toNode: to };
}

function cpusOf({ name, nodes }: MachineDescription, { cpus }: MoveFlags): number {
  const others = nodes.reduce((sum, node) => sum + node.cpus.length, 0) - 1;
  if (cpus <= others) return cpus;
  throw new MmError(
    'BAD_OPTION',
    `--cpus is ${String(cpus)}, but ${name} has ${String(others)} CPUs besides the one that moves`,
  );
}

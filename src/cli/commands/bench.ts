import type { Command } from 'commander';
import { benchReport } from '../bench/bench-report.js';
import type { CellRequest } from '../bench/cell.js';
import { measureCell, type Cell } from '../bench/measure-cell.js';
import { measureKernel, type KernelFault } from '../bench/native.js';
import { fileName, wholeNumber } from '../option-values.js';
import { reserveOutputFile } from '../output-file.js';
import type { Shell } from '../shell.js';
import { loadPolicy } from '../../engine/index.js';
import { MmError, nearestName } from '../../errors.js';
import { BENCH_ASSUMED, BENCH_KINDS, benchPolicy, type BenchKind } from '../../prove/index.js';
import { stableJson } from '../../report/index.js';
import { parseRun, type PolicySpec } from '../../run/index.js';

const KINDS = Object.keys(BENCH_KINDS) as BenchKind[];
const DEFAULT_POLICIES = ['default', 'bind=1-2', 'interleave=all', 'preferred=2'];
/** Fewer are gone through too fast to be timed; more threads than this are of no use on eight CPUs. */
const LEAST_PAGES = 4096;
const MOST_PAGES = 2 ** 24;
const MOST_THREADS = 128;
const MOST_FAULTS = 10_000_000;
const KERNEL_PAGES = 65_536;
const KERNEL_REPEATS = 9;

interface BenchFlags {
  readonly kinds: readonly BenchKind[];
  readonly pages: readonly number[];
  readonly order: readonly ('random' | 'page')[];
  readonly threads: readonly number[];
  readonly faults: number;
  readonly steps?: true;
  readonly kernel?: true;
  readonly json?: string;
}

/** `mof bench [POLICY...]`: what faults take, on this machine, by the cost model, and in this machine's kernel. */
export function addBench(program: Command, shell: Shell): void {
  program
    .command('bench')
    .description('what faults take: on this machine, by the cost model, in the kernel of this machine')
    .argument('[POLICY...]', `as at the start of a RUN (default: ${DEFAULT_POLICIES.join(' ')})`)
    .option('--kinds <LIST>', 'kinds of fault', listOf('--kinds', kindOf), KINDS.slice(0, 2))
    .option('--pages <LIST>', 'working sets, pages of 4 KiB', listOf('--pages', pagesOf), [KERNEL_PAGES])
    .option('--order <LIST>', 'in which order pages are placed and touched: random, page', listOf('--order', orderOf), [
      'random',
    ])
    .option('--threads <LIST>', 'threads of the simulated program', listOf('--threads', threadsOf), [8])
    .option('--faults <N>', 'faults that are timed one by one', faultsOf, 20_000)
    .option('--steps', 'each step of the faults too, with the tracer on')
    .option('--kernel', "this machine's own faults beside; needs a C compiler (cc, gcc, clang) and Linux")
    .option('--json <FILE|->', 'everything as JSON', fileName('--json'))
    .addHelpText('after', `\nKinds, or all:\n${kindLines()}\n\n${EXAMPLES}`)
    .action(async (words: readonly string[], flags: BenchFlags) => {
      const requests = await requestsFor(words.length === 0 ? DEFAULT_POLICIES : words, flags, shell.cwd);
      const file = flags.json === undefined || flags.json === '-' ? null : reserveOutputFile(flags.json);
      const cells = await measureAll(requests, shell);
      const kernel = flags.kernel ? await kernelOf(shell) : null;
      const json = stableJson({ node: process.version, assumed: [BENCH_ASSUMED], cells: cells.map(plainOf), kernel });
      shell.out(flags.json === '-' ? json : benchReport(cells, kernel, shell.paint));
      file?.write(json);
    });
}

const EXAMPLES = `Examples:
  mof bench
  mof bench default ./mine.ts=0-1 --pages 65536,1048576 --order random,page
  mof bench default --kinds swap-cache-misplaced --steps
  mof bench default --kinds all --kernel --json bench.json`;

function kindLines(): string {
  const width = Math.max(...KINDS.map((kind) => kind.length));
  return KINDS.map((kind) => `  ${kind.padEnd(width)}  ${BENCH_KINDS[kind]}`).join('\n');
}

/** Every combination, the kinds of one setting beside each other. */
async function requestsFor(words: readonly string[], flags: BenchFlags, cwd: string): Promise<CellRequest[]> {
  const policies = await Promise.all(words.map(async (policy) => ({ policy, spec: await policyOf(policy, cwd) })));
  const { faults } = flags;
  return flags.pages.flatMap((pages) =>
    flags.order.flatMap((order) =>
      flags.threads.flatMap((threads) =>
        policies.flatMap(({ policy, spec }) =>
          flags.kinds.flatMap((kind) => {
            const request = { kind, policy, spec, pages, order, threads, faults, withSteps: false, cwd };
            return flags.steps ? [request, { ...request, withSteps: true }] : [request];
          }),
        ),
      ),
    ),
  );
}

/** A `+` that does not belong to NODES: what follows is an action or a switch. */
const MORE = /(?<![=!])\+/;

/** @throws MmError for what is no policy, or has nodes or options that are not there */
async function policyOf(word: string, cwd: string): Promise<PolicySpec> {
  const { policy } = parseRun(word);
  if (MORE.test(word))
    throw new MmError('BAD_RUN', `"${word}": expected a policy alone; what happens in a run plays no part here`);
  benchPolicy(policy, await loadPolicy(policy.name, cwd));
  return policy;
}

/** Cells with steps are part of the cell that was measured without. */
async function measureAll(requests: readonly CellRequest[], { signal, terminal }: Shell): Promise<Cell[]> {
  const cells: Cell[] = [];
  try {
    for (const [i, request] of requests.entries()) {
      terminal?.(`\r\x1b[K${String(i + 1)} of ${String(requests.length)}: ${request.kind}, ${request.policy}`);
      const cell = await measureCell(request, signal);
      const plain = cells.at(-1);
      if (!request.withSteps || plain === undefined) cells.push(cell);
      else if ('result' in cell && 'result' in plain)
        cells[cells.length - 1] = { ...plain, result: { ...plain.result, steps: cell.result.steps } };
    }
  } finally {
    terminal?.('\r\x1b[K');
  }
  const [first] = cells;
  if ('leftOut' in first && cells.every((cell) => 'leftOut' in cell))
    throw new MmError('BAD_POLICY', `there is nothing to measure: ${first.leftOut}`);
  return cells;
}

async function kernelOf({ signal }: Shell): Promise<readonly KernelFault[]> {
  const kernel = process.platform === 'linux' ? await measureKernel(KERNEL_PAGES, KERNEL_REPEATS, signal) : null;
  if (kernel !== null) return kernel;
  throw new MmError(
    'BAD_OPTION',
    '--kernel needs Linux and a C compiler, and found no cc, gcc or clang; install one, or leave --kernel out',
  );
}

function plainOf(cell: Cell): Readonly<Record<string, unknown>> {
  const { kind, policy, pages, order, threads, faults } = cell;
  const setting = { kind, policy, pages, order, threads };
  return 'result' in cell ? { ...setting, faults, ...cell.result } : { ...setting, left_out: cell.leftOut };
}

function listOf<T>(option: string, one: (text: string) => T | readonly T[]): (text: string) => T[] {
  return (text) => {
    const values = text.split(',').flatMap(one);
    if (new Set(values).size !== values.length)
      throw new MmError('BAD_OPTION', `${option} is "${text}"; expected each value once`);
    return values;
  };
}

function kindOf(text: string): BenchKind | readonly BenchKind[] {
  if (text === 'all') return KINDS;
  const found = KINDS.find((kind) => kind === text);
  if (found !== undefined) return found;
  const near = nearestName(text, KINDS);
  const hint = near === undefined ? 'expected some of those that mof bench --help names' : `did you mean "${near}"?`;
  throw new MmError('BAD_OPTION', `--kinds: no kind of fault "${text}"; ${hint}`);
}

function orderOf(text: string): 'random' | 'page' {
  if (text === 'random' || text === 'page') return text;
  throw new MmError('BAD_OPTION', `--order is "${text}"; expected random, page or both`);
}

const pagesOf = between('--pages', LEAST_PAGES, MOST_PAGES);
const threadsOf = between('--threads', 1, MOST_THREADS);
const faultsOf = between('--faults', 100, MOST_FAULTS);

function between(option: string, least: number, most: number): (text: string) => number {
  const read = wholeNumber(option, least);
  return (text) => {
    const value = read(text);
    if (value <= most) return value;
    throw new MmError('BAD_OPTION', `${option} is "${text}"; expected at most ${String(most)}`);
  };
}

import Table from 'cli-table3';
import type { Base } from './base.js';
import type { Compared } from './compare.js';
import type { KernelFault } from '../src/cli/bench/native.js';
import type { Measured } from './measure.js';
import type { BenchOptions } from './options.js';

const shown = (ns: number) => ns.toFixed(ns < 1000 ? 1 : 0);

/** As many on one side by chance alone: 1 in 16. */
const ROUNDS_TO_TELL = 5;

export function printMeasured(
  rows: readonly Measured[],
  { pages, rounds }: BenchOptions,
  native: { readonly compiler: string } | null,
  kernel: readonly KernelFault[] | null,
): void {
  printTable(
    ['case', 'per', 'ns', '25 %', '75 %', 'rounds', 'C, ns', '× C'],
    rows.map((row) => [
      ...[row.name, row.unit, shown(row.ns), shown(row.p25), shown(row.p75)],
      `${shown(Math.min(...row.rounds))}–${shown(Math.max(...row.rounds))}`,
      ...[row.referenceNs === null ? '' : shown(row.referenceNs), row.ratio?.toFixed(2) ?? ''],
    ]),
    2,
  );
  console.log(`medians of ${String(rounds)} processes; ${String(pages)} pages; Node ${process.version}`);
  console.log(
    native === null ? 'no C compiler (cc, gcc, clang) was found: there are no ratios' : `C: ${native.compiler}`,
  );
  if (kernel === null) return;
  const each = kernel.map(({ kind, ns }) => `${kind} ${ns.toFixed(0)}`);
  console.log(`faults of this machine's own kernel, ns per page: ${each.join(', ')}`);
}

export function printCompared(rows: readonly Compared[], base: Base, { pages, rounds }: BenchOptions): void {
  const canTell = base.kind === 'built' && rounds >= ROUNDS_TO_TELL;
  printTable(
    ['case', `${base.title}, ns`, 'here, ns', 'here / there', 'least', 'greatest', ''],
    rows.map(({ name, baseNs, ns, ratio, least, greatest }) => [
      ...[name, shown(baseNs), shown(ns), ratio.toFixed(3), least.toFixed(3), greatest.toFixed(3)],
      canTell ? verdict(least, greatest) : '',
    ]),
    1,
  );
  console.log(`medians of ${String(rounds)} rounds; ${String(pages)} pages; Node ${process.version}`);
  if (base.kind === 'built')
    console.log(
      `Each round is a fresh process of either build, in alternating order; ${canTell ? 'faster and slower: in every round.' : `with --rounds ${String(ROUNDS_TO_TELL)} or more it is said which is faster.`}`,
    );
  else
    console.log(
      `${base.title} is another run (Node ${base.recorded.node}), compared by the ratio to C where both have one: ${base.why}`,
    );
}

const verdict = (least: number, greatest: number): string =>
  greatest < 1 ? 'faster' : least > 1 ? 'slower' : 'no difference seen';

function printTable(head: readonly string[], rows: readonly (readonly string[])[], words: number): void {
  const colAligns = head.map((_, i) => (i < words ? ('left' as const) : ('right' as const)));
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true }, colAligns });
  for (const row of rows) table.push([...row]);
  console.log(table.toString());
}

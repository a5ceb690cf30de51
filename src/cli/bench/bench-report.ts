import { wordsOf } from '../../stats/trace-log/index.js';
import { formatCount, tableText, type Paint } from '../../report/index.js';
import type { Cell } from './measure-cell.js';
import type { KernelFault } from './native.js';
import { BENCH_ASSUMED } from '../../prove/index.js';

/** Which of the kernel's own faults does the same as a kind of ours: found in a cache and mapped, allocated, copied. */
const KERNEL_KINDS: Readonly<Record<string, string>> = {
  'swap-cache-well-placed': 'file-minor',
  'swap-cache-misplaced': 'file-minor',
  file: 'file-minor',
  anon: 'anon',
  'zero-page': 'zero-page',
  'zero-page-write': 'zero-page-write',
  cow: 'cow',
};
/** Faults per page that the kernel must have taken for its figure to be of single faults. */
const [LEAST_PER_PAGE, MOST_PER_PAGE] = [0.98, 1.05];

const ns = (value: number): string => value.toFixed(value < 100 ? 1 : 0);

export function benchReport(cells: readonly Cell[], kernel: readonly KernelFault[] | null, paint: Paint): string {
  const ofKernel = (kind: string): string => {
    const found = kernel?.find((fault) => fault.kind === KERNEL_KINDS[kind]);
    const isSingle =
      found !== undefined && found.faultsPerPage >= LEAST_PER_PAGE && found.faultsPerPage <= MOST_PER_PAGE;
    return isSingle ? ns(found.ns) : '';
  };
  const measured = cells.flatMap((cell) => ('result' in cell ? [cell] : []));
  const setting = (cell: Cell) => [cell.policy, formatCount(cell.pages), cell.order, String(cell.threads)];
  const rows = measured.map((cell) => {
    const { result } = cell;
    const times = [result.ns, result.p50, result.p90, result.p99, result.max, result.modelNs].map(ns);
    return [cell.kind, ...setting(cell), ...times, ...(kernel === null ? [] : [ofKernel(cell.kind)])];
  });
  const head = ['fault', 'policy', 'pages', 'order', 'threads', 'ns', '50 %', '90 %', '99 %', 'most', 'model'];
  const sections = [
    tableText(
      {
        ...{ title: 'Faults, ns each', rows, wordColumns: [0, 1, 3] },
        head: kernel === null ? head : [...head, 'kernel'],
      },
      paint,
    ),
    ...measured.filter(({ result }) => result.steps.length > 0).map((cell) => stepTable(cell, paint)),
    explanation(measured, kernel !== null),
  ];
  const leftOut = cells.flatMap((cell) => ('leftOut' in cell ? [`${cell.kind}, ${cell.policy}: ${cell.leftOut}`] : []));
  if (leftOut.length > 0) sections.push(`Left out:\n${[...new Set(leftOut)].map((line) => `  ${line}`).join('\n')}`);
  return `${sections.join('\n\n')}\n`;
}

function stepTable(cell: Extract<Cell, { result: unknown }>, paint: Paint): string {
  const rows = cell.result.steps.map((step) => [
    ...[step.step, formatCount(step.count), ...[step.p50, step.p90, step.p99, step.max].map(ns)],
    step.step === 'enter' ? 'until the kind of fault is known' : wordsOf(step.step),
  ]);
  const { kind, policy, pages, order, threads } = cell;
  const title = `Steps of ${kind}, ${policy}, ${formatCount(pages)} pages, ${order} order, ${String(threads)} threads, ns each`;
  return tableText(
    { title, head: ['step', 'times', '50 %', '90 %', '99 %', 'most', ''], rows, wordColumns: [0, 6] },
    paint,
  );
}

function explanation(cells: readonly Extract<Cell, { result: unknown }>[], hasKernel: boolean): string {
  const clock = Math.max(0, ...cells.map(({ result }) => result.clockNs));
  return [
    'ns: the model on this machine, thousands of faults timed together, median. Percentiles: faults timed one by one;',
    `reading the clock, up to ${ns(clock)} ns here, is taken off; the longest are those during which the system took the`,
    'processor away. model: what the cost model charges for the fault, ns of virtual time, on a machine made up for it:',
    BENCH_ASSUMED,
    ...(hasKernel
      ? [
          "kernel: this machine's own kernel, one thread, for the fault that does the same; cached pages are those of a file.",
        ]
      : []),
  ].join('\n');
}

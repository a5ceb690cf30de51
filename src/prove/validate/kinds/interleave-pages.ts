import { loadPolicy } from '../../../engine/index.js';
import { VM_READ, VM_WRITE } from '../../../mm/index.js';
import { asCpuId, asNodeId } from '../../../units.js';
import { cannot, defineKind } from '../kind.js';
import { engineMachine } from './engine-machine.js';

/** Most pages that a figure may touch: 16 GiB. */
const MOST_PAGES = 2 ** 22;
const MOST_NODES = 64;
/** Of each two nodes or weights: a multiple of most of their sums, so that the first range begins with the first node. */
const FIRST_PAGE = 2 ** 8 * 3 ** 4 * 5 * 7 * 11;

export const interleavePagesKind = defineKind({
  name: 'interleave-pages',
  about:
    'pages per node after a task with the (weighted) interleave policy has touched ranges of anonymous memory side by side',
  y: ['count', 'ratio'],
  yMeans: 'pages of a range on a node, or (unit ratio or %) their share',
  x: null,
  parameters: {
    weights: { about: 'weight of each node, as [5, 1]', unit: '', form: 'numbers', whole: [1, 255], isRequired: true },
    ranges: {
      about: 'pages of each range, in the order of their addresses and touches',
      unit: '',
      form: 'numbers',
      whole: [1, MOST_PAGES],
      isRequired: true,
    },
    range: { about: 'which range is counted, from 0', unit: '', form: 'number', whole: [0, 999], initial: 0 },
    node: { about: 'on which node', unit: '', form: 'number', whole: [0, MOST_NODES - 1], isRequired: true },
  },
  async compute(values, dimension) {
    const [weights, ranges] = [values.numbers('weights'), values.numbers('ranges')];
    const [range, node] = [values.number('range'), values.number('node')];
    const pages = ranges.reduce((a, b) => a + b, 0);
    if (pages > MOST_PAGES)
      return cannot(`${String(pages)} pages are touched; the model takes up to ${String(MOST_PAGES)} here`);
    if (weights.length > MOST_NODES)
      return cannot(`there are ${String(weights.length)} nodes; up to ${String(MOST_NODES)} are possible`);
    if (!(range in ranges) || !(node in weights)) return cannot('there is no such range or node');
    const counts = await countsOfSetting(weights, ranges);
    return dimension === 'ratio' ? counts[range][node] / ranges[range] : counts[range][node];
  },
});

/** The counts of the last setting: the rows of a figure ask for one after the other. */
let last: { readonly setting: string; readonly counts: Promise<number[][]> } | null = null;

function countsOfSetting(weights: readonly number[], ranges: readonly number[]): Promise<number[][]> {
  const setting = JSON.stringify([weights, ranges]);
  if (last?.setting !== setting) last = { setting, counts: countsOf(weights, ranges) };
  return last.counts;
}

/** Pages of each range on each node. The fault path of the engine asks the policy for each page. */
async function countsOf(weights: readonly number[], ranges: readonly number[]): Promise<number[][]> {
  const pages = ranges.reduce((a, b) => a + b, 0);
  const isPlain = weights.every((weight) => weight === weights[0]);
  const machine = await engineMachine(weights.length, 1, pages);
  const { memory, process, policy, frames } = machine;
  const task = process.newProcess(asCpuId(0));
  const definition = await loadPolicy(isPlain ? 'interleave' : 'weighted-interleave', '.');
  const nodes = weights.map((_, node) => asNodeId(node));
  const options: Record<string, string> = isPlain ? {} : { weights: weights.join('/') };
  policy.setMempolicy(task, policy.newPolicy(task, { definition, nodes, flag: null, options }));
  const ends = ranges.map((_, i) => FIRST_PAGE + ranges.slice(0, i + 1).reduce((a, b) => a + b, 0));
  memory.mmap(task.space, FIRST_PAGE, pages, { flags: VM_READ | VM_WRITE }, task.cpu);
  let vpn = FIRST_PAGE;
  return ends.map((end) => {
    const counts = weights.map(() => 0);
    for (; vpn < end; vpn++) counts[frames.nodeOf(machine.touch(task, vpn, true))]++;
    return counts;
  });
}

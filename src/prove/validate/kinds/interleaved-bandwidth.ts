import { inFlightToFill, settledLoad } from '../../../cost/index.js';
import { asNodeId } from '../../../units.js';
import { cannot, defineKind } from '../kind.js';
import { fabric } from './fabric.js';
import { CPU_NODE, IN_FLIGHT, NODE_GBS, NODE_NS } from './memory-parameters.js';

export const interleavedBandwidthKind = defineKind({
  name: 'interleaved-bandwidth',
  about: 'bandwidth of all CPUs together when pages are spread over nodes: settles where the load of all nodes lets it',
  y: ['bandwidth'],
  yMeans: 'delivered by all nodes together',
  x: null,
  parameters: {
    cpuNode: CPU_NODE,
    nodeGbs: NODE_GBS,
    nodeNs: NODE_NS,
    weights: { about: 'pages in a row per node, as [9, 1]; equal if left out', unit: '', form: 'numbers' },
    readers: {
      about:
        'whose CPUs read: one node’s; or those of all nodes, each of which sees itself and the nodes after it as nodeGbs and nodeNs have it',
      unit: '',
      form: 'text',
      words: ['one', 'all'],
      initial: 'one',
    },
    inFlight: {
      ...IN_FLIGHT,
      about: 'cache lines that the CPUs of a node have under way; the fewest that fill each memory alone, if left out',
    },
  },
  compute(values) {
    const [gbs, ns] = [values.numbers('nodeGbs'), values.numbers('nodeNs')];
    const weights = values.has('weights') ? values.numbers('weights') : gbs.map(() => 1);
    if (gbs.length !== ns.length || gbs.length !== weights.length)
      return cannot('nodeGbs, nodeNs and weights have not the same length');
    const total = weights.reduce((a, b) => a + b, 0);
    if (!(total > 0 && weights.every((weight) => weight >= 0))) return cannot('the weights are not all at least 0');
    const inFlight = values.has('inFlight')
      ? values.number('inFlight')
      : Math.max(...gbs.map((peak, node) => inFlightToFill(ns[node], peak)));
    const shares = weights.map((weight) => weight / total);
    const isAll = values.text('readers') === 'all';
    const cpuNodes = isAll ? gbs.map((_, node) => asNodeId(node)) : [asNodeId(0)];
    return settledLoad(fabric(ns, gbs, isAll), cpuNodes, shares, Math.max(1, inFlight)).gbs;
  },
});

export const threadBandwidthKind = defineKind({
  name: 'thread-bandwidth',
  about: 'bandwidth of one thread: the lines it has under way over their latency, up to what the node delivers',
  y: ['bandwidth'],
  yMeans: 'read by the thread from the node of latencyNs',
  x: 'latencyNs',
  parameters: {
    latencyNs: { about: 'idle latency of the memory read', unit: 'ns', form: 'number', isRequired: true },
    inFlight: { ...IN_FLIGHT, about: 'cache lines that the thread has under way' },
    likeGbs: { about: 'instead of inFlight: what it reads from a node of likeNs', unit: 'GB/s', form: 'number' },
    likeNs: { about: 'idle latency behind likeGbs', unit: 'ns', form: 'number' },
    nodeGbs: { about: 'what the node delivers at most', unit: 'GB/s', form: 'number', initial: 1e6 },
  },
  compute(values) {
    const LINE_BYTES = 64;
    const lines = values.has('inFlight')
      ? values.number('inFlight')
      : values.has('likeGbs') && values.has('likeNs')
        ? (values.number('likeGbs') * values.number('likeNs')) / LINE_BYTES
        : null;
    if (lines === null) return cannot('neither inFlight nor likeGbs and likeNs say how many lines are under way');
    const cost = fabric([values.number('latencyNs')], [values.number('nodeGbs')]);
    return settledLoad(cost, [asNodeId(0)], [1], Math.max(1, lines)).gbs;
  },
});

import { LoadedLatency } from '../../../cost/index.js';
import { asNodeId } from '../../../units.js';
import { cannot, defineKind } from '../kind.js';
import { fabric } from './fabric.js';
import { CPU_NODE, LOCAL_NS, NODE_NS, REMOTE_NS } from './memory-parameters.js';

const MUCH_GBS = 1000;
const NODE = asNodeId(0);

export const idleLatencyKind = defineKind({
  name: 'idle-latency',
  about: 'latency without load of memory that lies on one node, or is spread over several: the mean by share',
  y: ['time'],
  yMeans: 'latency of a dependent load',
  x: null,
  parameters: {
    cpuNode: CPU_NODE,
    nodeNs: NODE_NS,
    weights: { about: 'pages per node, as [1, 0]; equal (interleaved) if left out', unit: '', form: 'numbers' },
    walkNs: {
      about: 'page-table walk of each load, where the test uses small pages on much memory',
      unit: 'ns',
      form: 'number',
      initial: 0,
    },
  },
  compute(values) {
    const ns = values.numbers('nodeNs');
    const weights = values.has('weights') ? values.numbers('weights') : ns.map(() => 1);
    if (weights.length !== ns.length) return cannot('nodeNs and weights have not the same length');
    const total = weights.reduce((a, b) => a + b, 0);
    const model = new LoadedLatency(
      fabric(
        ns,
        ns.map(() => MUCH_GBS),
      ),
      { mlp: 1, hitNs: 0 },
    );
    const mean = weights.reduce(
      (sum, weight, node) => sum + (weight / total) * model.accessNs(NODE, asNodeId(node), 0, 1),
      0,
    );
    return mean + values.number('walkNs');
  },
});

export const latencyRatioKind = defineKind({
  name: 'latency-ratio',
  about: 'how many times as long a remote access takes as a local one; distances of firmware (SLIT) have no part in it',
  y: ['ratio'],
  yMeans: 'remote over local latency, idle',
  x: null,
  parameters: { localNs: { ...LOCAL_NS, isRequired: true }, remoteNs: { ...REMOTE_NS, isRequired: true } },
  compute: (values) => values.number('remoteNs') / values.number('localNs'),
});

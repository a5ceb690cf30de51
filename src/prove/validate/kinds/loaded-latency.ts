import { factorAt, settledLoad } from '../../../cost/index.js';
import { asNodeId } from '../../../units.js';
import { cannot, defineKind } from '../kind.js';
import { fabric } from './fabric.js';
import { IN_FLIGHT, LOCAL_GBS, LOCAL_NS } from './memory-parameters.js';

/** Nearer to the peak, latency is that of the queue and says nothing of the curve. */
const SATURATED = 0.9;
const NODE = asNodeId(0);

export const loadedLatencyKind = defineKind({
  name: 'loaded-latency',
  about: 'latency of a memory against the bandwidth it delivers, from its idle latency and its peak',
  y: ['time', 'ratio'],
  yMeans: 'latency of a miss, or (unit ratio) that over the idle latency',
  x: 'deliveredGbs',
  parameters: {
    deliveredGbs: { about: 'bandwidth delivered', unit: 'GB/s', form: 'number' },
    load: { about: 'instead of deliveredGbs: that over peakGbs, 0 to 1', unit: '', form: 'number' },
    idleNs: { ...LOCAL_NS, about: 'latency without load', isRequired: true },
    peakGbs: {
      ...LOCAL_GBS,
      about:
        'most that it delivers; of all nodes together where CPUs of all nodes read their own; the greatest deliveredGbs, if nobody has it',
      isRequired: true,
      isGreatestX: true,
    },
    inFlight: { ...IN_FLIGHT, about: `${IN_FLIGHT.about}: for rows above 90 % of the peak, where they are the queue` },
  },
  compute(values, dimension) {
    if (!values.has('load') && !values.has('deliveredGbs')) return cannot('neither deliveredGbs nor load is given');
    const [idleNs, peakGbs] = [values.number('idleNs'), values.number('peakGbs')];
    const gbs = values.has('load') ? values.number('load') * peakGbs : values.number('deliveredGbs');
    const cost = fabric([idleNs], [peakGbs]);
    const unit = dimension === 'ratio' ? idleNs : 1;
    if (gbs <= SATURATED * peakGbs) return (idleNs * factorAt(cost, NODE, NODE, gbs)) / unit;
    if (values.has('inFlight')) return settledLoad(cost, [NODE], [1], values.number('inFlight')).latencyNs / unit;
    const load = Math.round((100 * gbs) / peakGbs);
    return cannot(`at ${String(load)} % of the peak the latency is that of the queue, and inFlight is not given`);
  },
});

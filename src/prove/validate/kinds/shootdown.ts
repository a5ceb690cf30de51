import { LoadedLatency } from '../../../cost/index.js';
import { parseMachine } from '../../../hardware/index.js';
import { defineKind } from '../kind.js';

export const shootdownKind = defineKind({
  name: 'shootdown',
  about: 'TLB shootdown by the number of CPUs: the own work, and interrupts to the others',
  y: ['time', 'rate'],
  yMeans: 'time of one, or how many per second all CPUs do together when each does them without pause',
  x: 'cpus',
  parameters: {
    cpus: {
      about: 'CPUs that take part, the one that begins included',
      unit: '',
      form: 'number',
      whole: [1, 4096],
      isRequired: true,
    },
    ownUs: { about: 'what it takes with one CPU', unit: 'us', form: 'number', initial: 0 },
    ipiNs: {
      about: 'interrupt to the first other CPU',
      unit: 'ns',
      form: 'number',
      isRequired: true,
      machine: { field: 'ipiNs', read: ({ cost }) => cost.ipiNs },
    },
    ipiFurtherNs: {
      about: 'interrupt to each further CPU',
      unit: 'ns',
      form: 'number',
      isRequired: true,
      machine: { field: 'ipiFurtherNs', read: ({ cost }) => cost.ipiFurtherNs },
    },
  },
  compute(values, dimension) {
    const file = {
      name: 'shootdown',
      nodes: [{ cpus: 1, memory: '1GiB' }],
      ipiNs: values.number('ipiNs'),
      ipiFurtherNs: values.number('ipiFurtherNs'),
    };
    const model = new LoadedLatency(parseMachine(JSON.stringify(file), 'the interrupts of a figure').cost);
    const cpus = values.number('cpus');
    const ns = values.number('ownUs') * 1000 + model.shootdownNs(Math.max(0, cpus - 1));
    return dimension === 'rate' ? (1e9 * cpus) / ns : ns;
  },
});

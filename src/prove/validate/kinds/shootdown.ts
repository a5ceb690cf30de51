import { defineKind } from '../kind.js';
import { IPI_FURTHER_NS, IPI_NS, shootdownNs } from './interrupts.js';

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
    ipiNs: { ...IPI_NS, isRequired: true },
    ipiFurtherNs: { ...IPI_FURTHER_NS, isRequired: true },
  },
  compute(values, dimension) {
    const cpus = values.number('cpus');
    const ns = values.number('ownUs') * 1000 + shootdownNs(values, cpus - 1);
    return dimension === 'rate' ? (1e9 * cpus) / ns : ns;
  },
});

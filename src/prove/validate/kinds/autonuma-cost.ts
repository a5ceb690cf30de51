import { autonumaCost } from '../../../cost/index.js';
import { defineKind } from '../kind.js';

export const autonumaCostKind = defineKind({
  name: 'autonuma-cost',
  about: 'what automatic balancing cost by the formula of mmtests, from counters of /proc/vmstat',
  y: ['count'],
  yMeans: 'cost, in millions of word accesses',
  x: null,
  parameters: {
    pteUpdates: { about: 'numa_pte_updates', unit: '', form: 'number', isRequired: true },
    hintFaults: { about: 'numa_hint_faults', unit: '', form: 'number', isRequired: true },
    pagesMigrated: { about: 'numa_pages_migrated', unit: '', form: 'number', isRequired: true },
  },
  compute: (values) =>
    autonumaCost(values.number('pteUpdates'), values.number('hintFaults'), values.number('pagesMigrated')),
});

import { contendedFaultRate, FaultKind, LoadedLatency } from '../../../cost/index.js';
import { parseMachine } from '../../../hardware/index.js';
import { PAGE_BYTES } from '../../../units.js';
import { defineKind, type Parameter } from '../kind.js';
import { REMOTE_NS } from './memory-parameters.js';

const FAULTS = Object.keys(FaultKind).filter((name) => name !== 'major');

const MINOR_NS: Parameter = {
  about: 'anonymous first touch of one thread, clearing included',
  unit: 'ns',
  form: 'number',
  isRequired: true,
  machine: { field: 'faults.minorNs', read: ({ cost }) => cost.minorFaultNs },
};

export const minorFaultKind = defineKind({
  name: 'minor-fault',
  about: 'a fault without I/O, by kind, as shares of an anonymous first touch',
  y: ['time', 'rate'],
  yMeans: 'time of a fault, or faults per second of one thread',
  x: null,
  parameters: {
    fault: { about: 'kind of fault', unit: '', form: 'text', words: FAULTS, initial: 'anon' },
    minorNs: MINOR_NS,
    clearGbs: {
      about: 'clearing of pages after the first; the share that clearing has of a fault, if left out',
      unit: 'GB/s',
      form: 'number',
    },
    clearedPages: { about: 'pages of 4 KiB that the fault clears', unit: '', form: 'number', initial: 1 },
  },
  compute(values, dimension) {
    const file = { name: 'fault', nodes: [{ cpus: 1, memory: '1GiB' }], faults: { minorNs: values.number('minorNs') } };
    const model = new LoadedLatency(parseMachine(JSON.stringify(file), 'the fault of a figure').cost);
    const pageNs = values.has('clearGbs') ? PAGE_BYTES / values.number('clearGbs') : model.zeroingNs;
    const more = (values.number('clearedPages') - 1) * pageNs;
    const ns = model.faultNs(FaultKind[values.text('fault') as keyof typeof FaultKind]) + more;
    return dimension === 'rate' ? 1e9 / ns : ns;
  },
});

export const majorFaultKind = defineKind({
  name: 'major-fault',
  about: 'a fault that reads one page from swap or disk',
  y: ['time', 'rate'],
  yMeans: 'time of a fault, or faults per second of one thread',
  x: null,
  parameters: {
    majorNs: {
      about: 'the whole fault',
      unit: 'ns',
      form: 'number',
      isRequired: true,
      machine: { field: 'faults.majorNs', read: ({ cost }) => cost.majorFaultNs },
    },
  },
  compute: (values, dimension) => (dimension === 'rate' ? 1e9 / values.number('majorNs') : values.number('majorNs')),
});

export const faultRateKind = defineKind({
  name: 'fault-rate',
  about: 'page faults of threads of one process that share a lock: a queue whose service grows with those that wait',
  y: ['rate', 'time'],
  yMeans: 'faults per second of all threads together, or (a time) their CPU time, waiters spinning',
  x: 'threads',
  parameters: {
    threads: { about: 'threads that fault', unit: '', form: 'number', whole: [1, 4096], isRequired: true },
    faults: { about: 'for y in s or the like: faults of all threads together', unit: '', form: 'number', initial: 1 },
    minorNs: MINOR_NS,
    lockedShare: {
      about: 'share of the fault under the lock, which no source gives; 0: no lock is shared',
      unit: '',
      form: 'number',
      initial: 0.25,
      isAssumed: true,
    },
    waiterNs: {
      ...REMOTE_NS,
      isRequired: true,
      about: 'what each waiter adds to a hand-over of the lock: a remote access',
    },
  },
  compute(values, dimension) {
    const [minorNs, threads, lockedShare] = [
      values.number('minorNs'),
      values.number('threads'),
      values.number('lockedShare'),
    ];
    const lockedNs = lockedShare * minorNs;
    const rate =
      lockedNs === 0
        ? (1e9 * threads) / minorNs
        : contendedFaultRate({ freeNs: minorNs - lockedNs, lockedNs, waiterNs: values.number('waiterNs') }, threads);
    return dimension === 'rate' ? rate : (1e9 * threads * values.number('faults')) / rate;
  },
});

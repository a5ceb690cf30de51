import { LoadedLatency } from '../../../cost/index.js';
import { parseMachine } from '../../../hardware/index.js';
import type { Parameter, Values } from '../kind.js';

export const IPI_NS: Parameter = {
  about: 'interrupt to the first other CPU',
  unit: 'ns',
  form: 'number',
  machine: { field: 'ipiNs', read: ({ cost }) => cost.ipiNs },
};
export const IPI_FURTHER_NS: Parameter = {
  about: 'interrupt to each further CPU',
  unit: 'ns',
  form: 'number',
  machine: { field: 'ipiFurtherNs', read: ({ cost }) => cost.ipiFurtherNs },
};

/** Interrupts of one flush, by the cost model. */
export function shootdownNs(values: Values, otherCpus: number): number {
  const [ipiNs, ipiFurtherNs] = [values.number('ipiNs'), values.number('ipiFurtherNs')];
  const file = { name: 'shootdown', nodes: [{ cpus: 1, memory: '1GiB' }], ipiNs, ipiFurtherNs };
  return new LoadedLatency(parseMachine(JSON.stringify(file), 'interrupts').cost).shootdownNs(otherCpus);
}

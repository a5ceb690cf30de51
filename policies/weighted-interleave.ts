import { definePolicy, indexModulo, NO_NODE, unlessThere, type Fault } from '../src/policy/index.js';

/**
 * Spreads pages in page order, each node getting as many in a row as its weight says. Kernel: MPOL_WEIGHTED_INTERLEAVE
 * (MP-28, MP-53): weights from sysfs, those in force at the time of the allocation; `weights=3/2/1` gives them here instead,
 * and `weights=auto` takes those that follow from the machine's bandwidths, as 6.16 does by itself.
 */
export default definePolicy({
  name: 'weighted-interleave',
  about: 'spread pages in page order, by weight',
  nodes: 'some',
  fallback: 'any',
  rebind: 'remap',
  mode: { number: 6, name: 'MPOL_WEIGHTED_INTERLEAVE' },
  options: {
    weights: { about: 'pages in a row per node, as 3/2/1; or auto, by bandwidth', kind: 'text', initial: '' },
  },
  create({ nodes, options, world }) {
    const given =
      options.weights === 'auto'
        ? nodes.map((node) => world.autoWeight(node))
        : String(options.weights).split('/').filter(Boolean).map(Number);
    const weight = (i: number) => (i < given.length ? given[i] : world.weight(nodes[i]));
    function place(fault: Fault) {
      if (!fault.hasAddress) return fault.rotor;
      let total = 0;
      for (let i = 0; i < nodes.length; i++) total += weight(i);
      let left = indexModulo(fault, total);
      for (let i = 0; i < nodes.length; i++) {
        left -= weight(i);
        if (left < 0) return nodes[i];
      }
      return nodes[0];
    }
    return {
      place,
      misplaced(fault) {
        if (!fault.hasAddress && nodes.includes(fault.pageNode)) return NO_NODE; // any node of the set will do
        return unlessThere(fault, place(fault));
      },
    };
  },
});

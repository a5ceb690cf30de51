import { definePolicy, indexModulo, NO_NODE, unlessThere, type Fault } from '../src/policy/index.js';

/** Spreads pages over the policy's nodes in page order. Kernel: MPOL_INTERLEAVE (MP-25, MP-26, MP-65, MP-66). */
export default definePolicy({
  name: 'interleave',
  about: 'spread pages over the nodes in page order',
  nodes: 'some',
  fallback: 'any',
  rebind: 'remap',
  mode: { number: 3, name: 'MPOL_INTERLEAVE' },
  create({ nodes }) {
    const place = (fault: Fault) => (fault.hasAddress ? nodes[indexModulo(fault, nodes.length)] : fault.rotor);
    return {
      place,
      misplaced(fault) {
        if (!fault.hasAddress && nodes.includes(fault.pageNode)) return NO_NODE; // any node of the set will do
        return unlessThere(fault, place(fault));
      },
    };
  },
});

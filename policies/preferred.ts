import { definePolicy, unlessThere, type Fault } from '../src/policy/index.js';

/** One node first, the others when it is full; without a node, local. Kernel: MPOL_PREFERRED (MP-21, MP-22, MP-63). */
export default definePolicy({
  name: 'preferred',
  about: 'this node first, others when it is full',
  nodes: 'optional',
  fallback: 'any',
  rebind: 'keep', // as in 6.x (MP-84); 2.6.16 mapped the node
  mode: { number: 1, name: 'MPOL_PREFERRED' },
  create({ nodes }) {
    const home = (fault: Fault) => (nodes.length === 0 ? fault.cpuNode : nodes[0]);
    return { place: home, misplaced: (fault) => unlessThere(fault, home(fault)) };
  },
});

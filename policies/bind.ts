import { definePolicy, NO_NODE } from '../src/policy/index.js';

/** Only the policy's nodes, the nearest first. Kernel: MPOL_BIND, mm/mempolicy.c (MP-23, MP-64). */
export default definePolicy({
  name: 'bind',
  about: 'only these nodes, the nearest with room first',
  nodes: 'some',
  fallback: 'within',
  rebind: 'remap',
  mode: { number: 2, name: 'MPOL_BIND' },
  create: ({ nodes, world }) => ({
    place: (fault) => fault.cpuNode, // the start of the row; `fallback: 'within'` keeps to the nodes
    misplaced: (fault) => (nodes.includes(fault.pageNode) ? NO_NODE : world.firstOf(nodes, fault.cpuNode)),
  }),
});

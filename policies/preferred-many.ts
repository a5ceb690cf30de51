import { definePolicy, NO_NODE } from '../src/policy/index.js';

/** These nodes first, the nearest before the others, then any. Kernel: MPOL_PREFERRED_MANY (MP-27, MP-68). */
export default definePolicy({
  name: 'preferred-many',
  about: 'these nodes first, the nearest with room before the others; then any node',
  nodes: 'some',
  fallback: 'within-then-any',
  rebind: 'keep',
  mode: { number: 5, name: 'MPOL_PREFERRED_MANY' },
  create: ({ nodes, world }) => ({
    place: (fault) => fault.cpuNode, // the start of the row; the fallback keeps to the nodes as long as one has room
    misplaced: (fault) => (nodes.includes(fault.pageNode) ? NO_NODE : world.firstOf(nodes, fault.cpuNode)),
  }),
});

import { definePolicy, unlessThere } from '../src/policy/index.js';

/** Local: a page belongs to the node of the CPU that touches it. Kernel: MPOL_DEFAULT (MP-20, MP-62). */
export default definePolicy({
  name: 'default',
  about: 'the node of the CPU that touches the page first',
  nodes: 'none',
  fallback: 'any',
  rebind: 'keep',
  mode: { number: 0, name: 'MPOL_DEFAULT' },
  create: () => ({
    place: (fault) => fault.cpuNode,
    misplaced: (fault) => unlessThere(fault, fault.cpuNode),
  }),
});

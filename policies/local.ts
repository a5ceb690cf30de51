import { definePolicy, unlessThere } from '../src/policy/index.js';

/** The node of the CPU, also where the task's own policy says otherwise. Kernel: MPOL_LOCAL (MP-29). */
export default definePolicy({
  name: 'local',
  about: 'the node of the CPU, whatever the policy around it says',
  nodes: 'none',
  fallback: 'any',
  rebind: 'keep',
  mode: { number: 4, name: 'MPOL_LOCAL' },
  create: () => ({
    place: (fault) => fault.cpuNode,
    misplaced: (fault) => unlessThere(fault, fault.cpuNode),
  }),
});

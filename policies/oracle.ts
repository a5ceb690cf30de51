import { asNodeId, definePolicy, unlessThere, type Fault } from '../src/policy/index.js';

/**
 * The best static placement: each page, once, on the node whose threads together miss on it most within the region
 * reported. It has read the trace to its end, so nobody can have it; it says how much any placement could gain.
 */
export default definePolicy({
  name: 'oracle',
  about: 'best static placement, known from a pass over the trace beforehand',
  nodes: 'none',
  fallback: 'any',
  rebind: 'keep',
  prepass: 'best-static',
  attainable: false,
  create({ bestNodes }) {
    const home = (fault: Fault) => {
      const best = bestNodes?.[fault.page] ?? -1;
      return best < 0 ? fault.cpuNode : asNodeId(best); // never missed on: wherever it is touched
    };
    return { place: home, misplaced: (fault) => unlessThere(fault, home(fault)) };
  },
});

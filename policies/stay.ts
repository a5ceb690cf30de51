import { definePolicy, NO_NODE } from '../src/policy/index.js';

/** Places like `default` and never moves a page: what migration is compared with, and the template for authors. */
export default definePolicy({
  name: 'stay',
  about: 'first touch, and never moved again: what migration is compared with',
  nodes: 'none',
  fallback: 'any',
  rebind: 'keep',
  attainable: false,
  create: () => ({ place: (fault) => fault.cpuNode, misplaced: () => NO_NODE }),
});

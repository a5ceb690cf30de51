import { cannot, defineKind } from '../kind.js';

export const promotionsKind = defineKind({
  name: 'promotions',
  about: 'pages promoted from a slow tier; known by name only',
  y: ['count', 'rate', 'bandwidth'],
  yMeans: 'pages promoted in a phase',
  x: null,
  parameters: {},
  compute: () => cannot('balancers do not demote yet'),
});

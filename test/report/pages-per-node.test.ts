import { describe, expect, it } from 'vitest';
import { nodeCells, nodeColumns, pagesText } from '../../src/report/pages-per-node.js';

const on = (pages: Record<number, number>, nodes = 256): number[] =>
  Array.from({ length: nodes }, (_, node) => pages[node] ?? 0);

describe('pages per node', () => {
  it('have a column for each of up to 16 nodes, empty ones included', () => {
    const columns = nodeColumns([on({ 3: 5 }, 16)]);
    expect(columns.shown).toHaveLength(16);
    expect(nodeCells(on({ 3: 5 }, 16), columns).join()).toBe('0,0,0,5,0,0,0,0,0,0,0,0,0,0,0,0');
    expect(pagesText([60, 42])).toBe('60 / 42');
  });

  it('are shown for the fullest of more nodes, in the order of the nodes, and in one sum for all others', () => {
    const few = on({ 64: 24, 0: 26, 255: 1 });
    const many = Array.from({ length: 256 }, (_, node) => 1000 - node);
    expect(nodeCells(few, nodeColumns([few]))).toEqual(['26', '24', '1', '0']);
    expect(pagesText(few)).toBe('node 0: 26 / node 64: 24 / node 255: 1');
    const columns = nodeColumns([few, many]);
    expect(columns.shown).toEqual(Array.from({ length: 15 }, (_, node) => node));
    expect(nodeCells(few, columns).at(-1)).toBe('25');
    expect(pagesText(many)).toMatch(/^node 0: 1,000 \/ .* \/ others: 208,465$/);
  });
});

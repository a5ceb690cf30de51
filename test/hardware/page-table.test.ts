import { describe, expect, it } from 'vitest';
import { PageTables, PTE_PRESENT, PTE_WRITE } from '../../src/hardware/index.js';
import { NO_PAGE, type Pfn } from '../../src/units.js';

describe('page tables', () => {
  it('get more room when it is used up, keep what they hold, and end at their capacity', () => {
    const tables = new PageTables(8, 2);
    const root = tables.newRoot();
    const pages = Array.from({ length: 7 }, (_, leaf) => {
      const page = tables.ensure(root, leaf * 512 + leaf, 3);
      tables.set(page, (1000 + leaf) as Pfn, PTE_WRITE);
      return page;
    });
    expect(pages).toEqual([512, 1025, 1538, 2051, 2564, 3077, 3590]); // leaf 0 stays unused
    for (const [leaf, page] of pages.entries()) {
      expect([tables.word[page], tables.bits[page]]).toEqual([1000 + leaf, PTE_PRESENT | PTE_WRITE]);
      expect([tables.vpnOf(page), tables.spaceOf(page), tables.walk(root, leaf * 513)]).toEqual([leaf * 513, 3, page]);
    }
    expect(tables.ensure(root, 7 * 512, 3)).toBe(NO_PAGE);
    expect(tables.bits.length).toBe(8 * 512);
    expect(tables.block.length).toBe(8);
  });
});

import { describe, expect, it } from 'vitest';
import { PTE_YOUNG } from '../../src/hardware/index.js';
import { PG_MLOCKED, PG_REFERENCED, VM_EXEC, VM_LOCKED, VM_RAND_READ, VM_READ, VM_WRITE } from '../../src/mm/index.js';
import {
  makeReferenceTest,
  recency61,
  recency612,
  REF_ACTIVATE,
  REF_KEEP,
  REF_RECLAIM,
  REF_RECLAIM_CLEAN,
  referenceAnswer,
} from '../../src/reclaim/reference.js';
import { asCpuId } from '../../src/units.js';
import { reclaimMachine } from '../support/reclaim-machine.js';

describe('RC-30 the reference test of an inactive page', () => {
  // The rows of the table in order; the second and third split by what they say of files.
  const ROWS = [
    {
      young: 0,
      flag: false,
      locked: true,
      exec: false,
      file: false,
      answer: REF_ACTIVATE,
      name: 'a mapping is mlocked',
    },
    { young: 0, flag: false, locked: false, exec: false, file: true, answer: REF_RECLAIM, name: 'not used' },
    {
      young: 0,
      flag: true,
      locked: false,
      exec: false,
      file: false,
      answer: REF_RECLAIM,
      name: 'not used since, anonymous',
    },
    {
      young: 0,
      flag: true,
      locked: false,
      exec: false,
      file: true,
      answer: REF_RECLAIM_CLEAN,
      name: 'not used since, file',
    },
    { young: 1, flag: false, locked: false, exec: false, file: true, answer: REF_KEEP, name: 'used once' },
    { young: 1, flag: false, locked: false, exec: true, file: true, answer: REF_ACTIVATE, name: 'code used once' },
    { young: 1, flag: false, locked: false, exec: true, file: false, answer: REF_KEEP, name: 'executable, no file' },
    { young: 1, flag: true, locked: false, exec: false, file: false, answer: REF_ACTIVATE, name: 'used again' },
    {
      young: 2,
      flag: false,
      locked: false,
      exec: false,
      file: false,
      answer: REF_ACTIVATE,
      name: 'used through two entries',
    },
  ];

  it('has nine rows', () => {
    expect(ROWS).toHaveLength(9);
  });

  it.each(ROWS)('$name: $answer', ({ young, flag, locked, exec, file, answer }) => {
    expect(referenceAnswer(young, flag, locked, exec, file)).toBe(answer);
  });

  function mapped(flags = VM_READ | VM_WRITE, recency = recency612) {
    const m = reclaimMachine();
    const vma = m.map(4, flags);
    const pfn = m.touch(vma, 0);
    return { m, vma, pfn, page: m.entry(vma, 0), reference: makeReferenceTest(m, recency) };
  }

  it('clears the young bit and remembers the use in the flag; unused the next time, it clears the flag', () => {
    const { m, pfn, page, reference } = mapped();
    expect(reference.ofInactive(pfn)).toBe(REF_KEEP);
    expect(m.tables.bits[page] & PTE_YOUNG).toBe(0);
    expect(m.frames.has(pfn, PG_REFERENCED)).toBe(true);
    expect(reference.ofInactive(pfn)).toBe(REF_RECLAIM);
    expect(m.frames.has(pfn, PG_REFERENCED)).toBe(false);
  });

  it('a page used again between two tests is seen, although a TLB knew its translation', () => {
    const { m, vma, pfn, reference } = mapped();
    m.touch(vma, 0);
    reference.ofInactive(pfn);
    const misses = m.counters.get('tlb_miss');
    m.touch(vma, 0);
    expect(m.counters.get('tlb_miss')).toBe(misses + 1);
    expect(reference.ofInactive(pfn)).toBe(REF_ACTIVATE);
    expect(m.counters.get('nr_tlb_remote_flush')).toBe(0);
  });

  it('a page in a locked area becomes mlocked and keeps its young bit', () => {
    const { m, pfn, page, reference } = mapped(VM_READ | VM_WRITE | VM_LOCKED);
    expect(reference.ofInactive(pfn)).toBe(REF_ACTIVATE);
    expect(m.frames.has(pfn, PG_MLOCKED)).toBe(true);
    expect(m.tables.bits[page] & PTE_YOUNG).not.toBe(0);
  });

  it('an area read at random does not count in 6.12 and counts in 6.1', () => {
    const flags = VM_READ | VM_WRITE | VM_RAND_READ;
    const new_ = mapped(flags, recency612);
    expect(new_.reference.ofInactive(new_.pfn)).toBe(REF_RECLAIM);
    const old = mapped(flags, recency61);
    expect(old.reference.ofInactive(old.pfn)).toBe(REF_KEEP);
  });

  it('RC-32: active code that was used stays, by the young bits alone', () => {
    const m = reclaimMachine();
    const file = m.files.create('file', 'lib', 4);
    const code = m.map(4, VM_READ | VM_EXEC, file);
    const data = m.map(4, VM_READ, file);
    const reference = makeReferenceTest(m, recency612);
    const pfn = m.touch(code, 0, false, asCpuId(1));
    expect(reference.isUsedCode(pfn)).toBe(true);
    expect(reference.isUsedCode(pfn)).toBe(false);
    m.touch(data, 0);
    expect(reference.isUsedCode(pfn)).toBe(false);
  });
});

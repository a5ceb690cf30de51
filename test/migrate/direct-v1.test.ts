import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { ENOMEM } from '../../src/errors.js';
import { makeRemoveReferences } from '../../src/migrate/remove-references.js';
import { makeTryToUnmap, moverV1 } from '../../src/migrate/index.js';
import { PG_PRIVATE, PG_REFERENCED } from '../../src/mm/index.js';
import { PTE_PRESENT, PTE_SWAP, PTE_WRITE, PTE_YOUNG } from '../../src/hardware/index.js';
import { C } from '../../src/stats/index.js';
import { asNodeId, type SwapSlot } from '../../src/units.js';
import { cacheOn, mapShared, processWithPages, unmapEverywhere } from '../support/arrange.js';
import {
  callOver,
  callsOf,
  finish,
  isolated,
  mbind,
  MOVE,
  newFrames,
  oldMachine,
  passesOf,
} from '../support/movers.js';
import { frameAt, nodeAt, processOn, touchAll } from '../support/tiny-machine.js';

// What differs between Direct Migration V1 and the merged form (DM-14, section 5), and how entries come back (DM-19..DM-21).

const START = 1000;

describe('DM-14: Direct Migration V1', () => {
  it('keeps finished old pages on the list, with one reference; there is no list of moved ones', () => {
    const machine = oldMachine('direct-2005');
    const { task } = processWithPages(machine, 0, START, 2);
    const pfns = [0, 1].map((i) => frameAt(machine, task, START + i));
    const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 2), task);
    passesOf(machine).run(s);
    expect([s.moved, s.from, s.from.map((pfn) => machine.frames.count(pfn))]).toEqual([[], pfns, [1, 1]]);
    finish(machine, s);
    checkMachine(machine);
  });

  it('puts a finished page back when a later pass meets it', () => {
    const machine = oldMachine('direct-2005');
    const { task } = processWithPages(machine, 0, START, 2);
    const pfns = [0, 1].map((i) => frameAt(machine, task, START + i));
    machine.frames.get(pfns[1]); // held: brings on further passes
    const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 2), task);
    const free = machine.zones.free(asNodeId(0));
    passesOf(machine).run(s);
    expect([s.from, s.record.retries, s.result]).toEqual([[pfns[1]], 11, 1]);
    expect(machine.zones.free(asNodeId(0))).toBe(free + 1);
    finish(machine, s);
    checkMachine(machine, new Map([[pfns[1], 1]]));
  });

  it('asks for a new page before it asks whether the old one was freed', () => {
    const machine = oldMachine('direct-2005');
    const { task } = processWithPages(machine, 0, START, 1);
    const s = callOver(isolated(machine, [frameAt(machine, task, START)]), [], task);
    machine.process.exit(task);
    passesOf(machine).run(s);
    expect([...s.records.values()].map(({ fate }) => fate)).toEqual(['left']);
    finish(machine, s);
    checkMachine(machine);
  });

  it('never asks for a migrate operation: one that always fails does not stop it', () => {
    const machine = oldMachine('direct-2005');
    const pfns = cacheOn(machine, 0, machine.files.create('file', 'f', 1, { migrate: 'fail' }));
    const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 1), processOn(machine, 0));
    passesOf(machine).run(s);
    expect([...s.records.values()].map(({ fate }) => fate)).toEqual(['moved']);
    finish(machine, s);
    checkMachine(machine);
  });

  it('stops at an assertion where a page has lost its mapping', () => {
    const machine = oldMachine('direct-2005');
    const pfns = cacheOn(machine, 0, machine.files.create('file', 'f', 1));
    const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 1), processOn(machine, 0));
    machine.pageCache.remove(pfns[0]); // truncated; somebody still holds the page
    passesOf(machine).run(s);
    expect([s.ending, s.pass]).toEqual(['asserted', 0]);
  });

  it('an anonymous page without a swap slot is tried again in later passes, and fails', () => {
    const machine = oldMachine('direct-2005', { swapPages: 0 });
    const { task } = processWithPages(machine, 0, START, 1);
    const s = callOver(isolated(machine, [frameAt(machine, task, START)]), newFrames(machine, 1, 1), task);
    passesOf(machine).run(s);
    expect([...s.records.values()]).toMatchObject([{ fate: 'failed', errno: ENOMEM }]);
    expect(s.result).toBe(1);
    finish(machine, s);
    checkMachine(machine);
  });

  it.each([
    [3, 'moved', 3, 0],
    [4, 'swapped', 3, 1],
  ])('buffers that stay for %i questions: written out from the pass after 2', (busyFor, fate, retries, fallbacks) => {
    const machine = oldMachine('direct-2005');
    const pfns = cacheOn(machine, 0, machine.files.create('file', 'f', 1));
    machine.frames.set(pfns[0], PG_PRIVATE);
    machine.frames.get(pfns[0]);
    let asked = 0;
    const tryToUnmap = makeTryToUnmap(machine);
    const mover = moverV1.make({ ...machine, tryToUnmap, buffersBusy: () => ++asked <= busyFor });
    const s = callOver(isolated(machine, pfns), newFrames(machine, 1, 1), processOn(machine, 0));
    mover.passes?.run(s);
    expect([...s.records.values()]).toMatchObject([{ fate, retries }]);
    expect(s.fallbacks).toBe(fallbacks);
    finish(machine, s);
    checkMachine(machine);
  });

  it('leaves anonymous pages in the swap cache without a mapping: the next touch maps the moved page', () => {
    const machine = oldMachine('direct-2005');
    const { task } = processWithPages(machine, 0, START, 1);
    expect(mbind(callsOf(machine), task, [START, 1], 'bind', [1], MOVE)).toBe(0);
    machine.lru.drainAll();
    const page = machine.tables.walk(task.space.root, START);
    expect(machine.tables.bits[page]).toBe(PTE_SWAP);
    const fresh = machine.swap.cached(machine.tables.word[page] as SwapSlot);
    expect([machine.frames.nodeOf(fresh), machine.frames.mapping(fresh), machine.frames.mapcount(fresh)]).toEqual([
      1, 0, 0,
    ]);
    checkMachine(machine);
    expect(machine.touch(task, START, true)).toBe(fresh);
    expect(machine.counters.values[C.pswpin]).toBe(0);
    checkMachine(machine);
  });
});

describe('taking references away, and giving entries back (section 5)', () => {
  it('DM-19: a page that is unmapped already needs the replacement alone, with the count as its proof', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 1);
    const old = frameAt(machine, task, START);
    unmapEverywhere(machine, task, old);
    const [fresh] = newFrames(machine, 1, 1);
    const { frames } = machine;
    const references = makeRemoveReferences({
      ...{ ...machine, tryToUnmap: makeTryToUnmap(machine), pageMapping: machine.rules.pageMapping },
    });
    frames.get(old); // the fault's reference
    isolated(machine, [old]);
    frames.tryLock(old);
    expect(references.check(old, 3)).toBe(0);
    expect(references.replace(old, fresh, 2)).toBeLessThan(0); // one reference more than expected
    expect(references.shownInSlot(old)).toBe(old);
    expect(references.replace(old, fresh, 3)).toBe(0);
    expect(references.shownInSlot(old)).toBe(fresh);
    expect([frames.count(old), frames.count(fresh)]).toEqual([2, 2]);
    expect(references.replace(old, fresh, 2)).toBeLessThan(0); // the slot is not the old page's any more
  });

  it.each([
    // DM-20: an anonymous entry names the slot while the page is away, a file entry nothing.
    ['anonymous', PTE_SWAP],
    ['file', 0],
  ])('DM-20: an entry of an %s page while its page is unmapped', (kind, bits) => {
    const machine = oldMachine('mof-2006');
    const task = processOn(machine, 0);
    if (kind === 'file') mapShared(machine, task, machine.files.create('file', 'f', 1), START);
    else machine.memory.mmap(task.space, START, 1, { flags: 3 }, task.cpu);
    touchAll(machine, task, START, 1, false);
    if (kind !== 'file') touchAll(machine, task, START, 1, true);
    machine.lru.drainAll();
    unmapEverywhere(machine, task, frameAt(machine, task, START));
    expect(machine.tables.bits[machine.tables.walk(task.space.root, START)]).toBe(bits);
    checkMachine(machine);
  });

  it('DM-21: entries come back read-only and old, the page has left the swap cache, and a write costs one more fault', () => {
    const machine = oldMachine('mof-2006');
    const { task } = processWithPages(machine, 0, START, 1);
    machine.frames.set(frameAt(machine, task, START), PG_REFERENCED);
    expect(mbind(callsOf(machine), task, [START, 1], 'bind', [1], MOVE)).toBe(0);
    machine.lru.drainAll();
    const page = machine.tables.walk(task.space.root, START);
    const fresh = frameAt(machine, task, START);
    expect(machine.tables.bits[page] & (PTE_PRESENT | PTE_WRITE | PTE_YOUNG)).toBe(PTE_PRESENT);
    expect([machine.frames.count(fresh), machine.frames.mapcount(fresh), machine.frames.isSwapCache(fresh)]).toEqual([
      1,
      1,
      false,
    ]);
    expect(machine.frames.has(fresh, PG_REFERENCED)).toBe(true);
    expect(machine.swap.free).toBe(machine.swap.slots);
    checkMachine(machine);
    const faults = machine.counters.values[C.pgfault];
    expect(machine.touch(task, START, true)).toBe(fresh);
    expect([machine.counters.values[C.pgfault] - faults, nodeAt(machine, task, START)]).toEqual([1, 1]);
    checkMachine(machine);
  });
});

import { describe, expect, it } from 'vitest';
import { fc, it as property } from '@fast-check/vitest';
import { VmaList } from '../../src/mm/vma-list.js';
import { AddressSpace, Vma } from '../../src/mm/index.js';
import { mapAnon, processOn, tinyMachine, unmapLazily } from '../support/tiny-machine.js';

const nowhere = new AddressSpace(1, 0, 1);
/** Areas lie at multiples of it, and are at most as long. */
const STEP = 4;

function area(start: number, pages: number): Vma {
  const vma = new Vma(nowhere);
  vma.moveTo(start, pages);
  return vma;
}

/** The same questions, of a plain list. */
class PlainList {
  readonly vmas: Vma[] = [];
  endingAfter = (vpn: number) => this.vmas.find((vma) => vma.end > vpn);
  within = (start: number, end: number) => this.vmas.filter((vma) => vma.end > start && vma.start < end);
  add(vma: Vma) {
    this.vmas.push(vma);
    this.vmas.sort((a, b) => a.start - b.start);
  }
  remove(vma: Vma) {
    this.vmas.splice(this.vmas.indexOf(vma), 1);
  }
}

describe('the list of areas', () => {
  const place = fc.nat(1500);
  const steps = fc.array(fc.record({ place, pages: fc.integer({ min: 1, max: STEP }), removes: fc.nat(3) }), {
    minLength: 1000,
    maxLength: 2500,
  });
  property.prop([steps, place], { numRuns: 25 })('answers as a plain list would, over several chunks', (all, probe) => {
    const [list, plain] = [new VmaList(), new PlainList()];
    for (const step of all) {
      const there = plain.vmas.find((vma) => vma.start === step.place * STEP);
      if (there === undefined) {
        const vma = area(step.place * STEP, step.pages);
        list.add(vma);
        plain.add(vma);
      } else if (step.removes === 0) {
        list.remove(there);
        plain.remove(there);
      } else there.moveTo(there.start, step.pages);
    }
    expect([...list]).toEqual(plain.vmas);
    expect([list.length, list.last]).toEqual([plain.vmas.length, plain.vmas.at(-1)]);
    for (let vpn = 0; vpn <= 1501 * STEP; vpn++) expect(list.endingAfter(vpn)).toBe(plain.endingAfter(vpn));
    plain.vmas.forEach((vma, i) => {
      expect(list.before(vma)).toBe(i === 0 ? undefined : plain.vmas[i - 1]);
      expect(list.after(vma)).toBe(plain.vmas[i + 1]);
    });
    const [start, end] = [probe * 2, probe * 2 + 700];
    expect(list.within(start, end)).toEqual(plain.within(start, end));
    for (const vma of plain.vmas) list.remove(vma);
    expect([list.length, list.last, list.endingAfter(0), list.within(0, 9999)]).toEqual([0, undefined, undefined, []]);
  });

  it('refuses areas that overlap, and one that is not there', () => {
    const list = new VmaList();
    list.add(area(0, 10));
    expect(() => {
      list.add(area(9, 1));
    }).toThrow('areas overlap');
    expect(() => {
      list.remove(area(0, 10));
    }).toThrow('not there');
  });

  it('of a process whose memory was cut into a hundred areas leads from each page to its entry and back', () => {
    const machine = tinyMachine({ nodes: 2, framesPerNode: 400 });
    const task = processOn(machine, 0);
    const START = 2 ** 30;
    mapAnon(machine, task, START, 200);
    for (let i = 0; i < 200; i++) machine.touch(task, START + i, true);
    for (let i = 0; i < 200; i += 2) machine.spaces.isolateRange(task.space, START + i, 1);
    expect(task.space.vmas.length).toBe(200);
    machine.lru.drainAll();
    expect(unmapLazily(machine, task).unmapped).toBe(200);
    const other = machine.process.newThread(task, machine.topology.cpusOf(1 as never)[0]);
    for (let i = 0; i < 200; i++) expect(machine.frames.nodeOf(machine.touch(other, START + i, true))).toBe(1);
    machine.spaces.check();
  });
});

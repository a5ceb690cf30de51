import type { PageId } from '../../units.js';
import type { Bed } from './bed.js';
import { mustHold, type Case } from './case.js';

/** Accesses in the sequence, which is gone through again and again. */
const SEQUENCE = 2 ** 22;
/** Pages that each thread touches where the TLB is to answer: every second one, so that they fill all ways of half of the sets. */
const HOT = 512;
const WRITE = 0x80;
/** Accesses per call while warming up. */
const WARM_UP = 4096;

/** Accesses that the TLB of their CPU answers; a quarter are writes. Works on as many threads as there are CPUs, or fewer. */
export function tlbHits(bed: Bed): Case {
  const { random, tasks, pages } = bed;
  mustHold(pages >= 2 * HOT * tasks.length, `${String(pages)} pages are too few`);
  return accesses(bed, (thread) => 2 * (thread * HOT + random.below(HOT)), 'tlb-hit');
}

/** Accesses to pages that are there and that no TLB knows: a walk each. A quarter are writes. */
export function presentMisses(bed: Bed): Case {
  return accesses(bed, () => bed.random.below(bed.pages), 'miss-present');
}

function accesses(bed: Bed, pick: (thread: number) => number, name: string): Case {
  const { machine, tasks, random } = bed;
  const { access, counters } = machine;
  bed.place(false);
  const seqTask = Uint8Array.from(
    { length: SEQUENCE },
    () => random.below(tasks.length) | (random.below(4) === 0 ? WRITE : 0),
  );
  const seqId = Int32Array.from(seqTask, (word) => bed.ids[pick(word & ~WRITE)]);
  let at = 0;
  let made = 0;
  const touch = (from: number, until: number) => {
    for (let i = from; i < until; i++) {
      const word = seqTask[i];
      access(tasks[word & ~WRITE], seqId[i] as PageId, word >= WRITE);
    }
  };
  for (let i = 0; i < SEQUENCE / 4; i += WARM_UP) touch(i, i + WARM_UP);
  const missesBefore = counters.get('tlb_miss');
  const faultsBefore = counters.get('pgfault');
  return {
    prepare(count) {
      if (at + count > SEQUENCE) at = 0;
    },
    run(count) {
      touch(at, at + count);
      at += count;
      made += count;
    },
    verify() {
      const share = (counters.get('tlb_miss') - missesBefore) / made;
      mustHold(
        name === 'tlb-hit' ? share < 0.001 : share > 0.9,
        `${name}: ${String(share)} of the accesses missed the TLB`,
      );
      mustHold(counters.get('pgfault') === faultsBefore, `${name}: there were faults`);
    },
  };
}

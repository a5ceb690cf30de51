import { ACCOUNT_MIGRATION, type Meter, PRICE } from '../cost/index.js';
import { EAGAIN, EIO, ENOMEM } from '../errors.js';
import { PG_PRIVATE, type Block, type Files, type Frames, type Lru } from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import { NO_PFN } from '../units.js';
import type { CopyPage } from './copy-page.js';
import { moveToLru } from './lists.js';
import { hasPageMapping, migrateOperationOf } from './operation.js';
import { PAGE_ACTIVATE, PAGE_KEEP, PAGE_SUCCESS, type PageOutSteps } from './page-out.js';
import type { PassesState } from './passes-state.js';
import { removeFromSwap, type RemoveFromSwapParts } from './remove-from-swap.js';
import type { RemoveReferences } from './remove-references.js';
import type { SwapOut } from './swap-out.js';
import { UNMAP_FAIL, UNMAP_SUCCESS, type TryToUnmap } from './unmap.js';

/** In what the movers of 2005 and 2006 differ. */
export interface PassesRule {
  /** Direct Migration V1 (DM-14, section 5 left column) instead of the merged form. */
  readonly isV1: boolean;
  /** P10 [2.6.17]: unmap before asking whether the page is dirty, so that the dirty bits of entries count. */
  readonly unmapsFirst: boolean;
  /** P13: after this pass a page whose buffers stay is written out. */
  readonly fallbackAfter: number;
  /** Until Feb 2006: an entry that was used since the last time keeps the page mapped (section 4). */
  readonly sparesYoung: boolean;
}

export interface PassesParts extends RemoveFromSwapParts {
  readonly frames: Frames;
  readonly files: Files;
  readonly lru: Lru;
  readonly block: Block;
  readonly swapOut: SwapOut;
  readonly copyPage: CopyPage;
  readonly tryToUnmap: TryToUnmap;
  readonly pageOutSteps: PageOutSteps;
  readonly references: RemoveReferences;
  readonly counters: Counters;
  readonly meter: Meter;
  readonly tracer: Tracer | null;
}

let count = 1;
/** The steps, as `PassesState.next`. P1..P13: section 3; R1..R3: section 5; C1..C4: buffers, copy, entries, locks; W1..W4: section 4. */
export const P = {
  NEXT: count++,
  P1: count++,
  P2: count++,
  P3: count++,
  P4: count++,
  P5: count++,
  P6: count++,
  P7: count++,
  P8: count++,
  P9: count++,
  P10: count++,
  P11: count++,
  P12: count++,
  P13: count++,
  R1: count++,
  R2: count++,
  R3: count++,
  C1: count++,
  C2: count++,
  C3: count++,
  C4: count++,
  W1: count++,
  W2: count++,
  W3: count++,
  W4: count++,
} as const;
/** As the trace log has them: what is no P-step of the rules gets a P- before it. */
const NAMES = ['', ...Object.keys(P).map((name) => (/^P\d/.test(name) ? name : `P-${name}`))];
const DONE = 0;
/** Asleep: for a page lock, for a write, or in V1 for a locked area. Nothing was done, take the same step again later. */
const WAIT = -1;
/** DM-10: passes 0..10. */
const LAST_PASS = 10;
/** DM-11: locked pages are left alone in passes 0, 1 and 2. */
const LAST_TRYLOCK = 2;

export interface Passes {
  /** migrate_pages() straight through; `s.ending` tells if it would never return. */
  run(s: PassesState): void;
  /** One step of the same, for drivers that switch between actors. Starts at `P.NEXT`. @returns the next step, `WAIT` or `DONE` */
  step(s: PassesState, at: number): number;
}

/** Moving or swapping out a list of isolated pages. Kernel: migrate_pages(), mm/vmscan.c, Nov 2005 to 2.6.17. */
export function makePasses(parts: PassesParts, rule: PassesRule): Passes {
  const { frames, files, lru, block, swapOut, copyPage, tryToUnmap, pageOutSteps, references, meter, counters } = parts;
  const { tracer } = parts;
  const { isV1 } = rule;

  /** The next page of the pass, or the end of the pass, or of the call (DM-10). */
  function next(s: PassesState): number {
    if (s.at === s.from.length) return endPass(s);
    s.page = s.from[s.at++];
    s.fresh = NO_PFN;
    return isV1 ? P.P2 : P.P1;
  }

  function endPass(s: PassesState): number {
    s.from = [...s.keep, ...s.from.slice(s.at)];
    s.keep = [];
    s.at = 0;
    if (s.retry === 0 || s.pass === LAST_PASS) return DONE;
    s.pass++;
    s.retry = 0;
    return P.NEXT;
  }

  /** Freed by others meanwhile: no new page is used. In V1 also the page that an earlier pass has finished. */
  function p1Freed(s: PassesState): number {
    if (frames.count(s.page) !== 1) return isV1 ? P.P3 : P.P2;
    if (s.record.fate === 'left') s.record.fate = 'freed';
    if (isV1) lru.putback(s.cpu, s.page);
    else s.moved.push(s.page);
    return P.NEXT;
  }

  /** No new page is left: this pass is over. */
  function p2NoneLeft(s: PassesState): number {
    if (s.to?.length !== 0) return isV1 ? P.P1 : P.P3;
    s.at--;
    return endPass(s);
  }

  function p3Lock(s: PassesState): number {
    if (frames.tryLock(s.page)) return P.P4;
    return s.pass <= LAST_TRYLOCK ? put(s, -EAGAIN) : WAIT;
  }

  function p4Writeback(s: PassesState): number {
    if (!frames.isWriteback(s.page)) return P.P5;
    return s.pass === 0 ? unlockAndPut(s, -EAGAIN) : WAIT;
  }

  function p5AddToSwap(s: PassesState): number {
    if (!frames.isAnon(s.page) || frames.isSwapCache(s.page)) return P.P6;
    if (!swapOut.addToSwap(s.page)) return unlockAndPut(s, -ENOMEM);
    s.slots++;
    return P.P6;
  }

  function p6SwapOut(s: PassesState): number {
    return s.to === null ? P.W1 : P.P7;
  }

  /** The last one of the list; it stays there until an attempt succeeds (DM-18). */
  function p7NewPage(s: PassesState): number {
    s.fresh = s.to?.at(-1) ?? NO_PFN;
    frames.tryLock(s.fresh); // cannot fail: nobody else knows it
    return isV1 ? P.P11 : P.P8;
  }

  function p8Mapping(s: PassesState): number {
    return hasPageMapping(frames, s.page) ? P.P9 : unlockAndPut(s, -EAGAIN);
  }

  function p9Operation(s: PassesState): number {
    const operation = migrateOperationOf(frames, files, s.page);
    if (operation === 'none') return rule.unmapsFirst ? P.P10 : P.P11;
    if (operation === 'fail') return unlockAndPut(s, -EIO);
    s.refs = operation === 'buffers' && frames.has(s.page, PG_PRIVATE) ? 3 : 2;
    return P.R1;
  }

  /** [2.6.17] So that the dirty bits of entries reach the page. */
  function p10Unmap(s: PassesState): number {
    const refused = references.unmap(s.page, s.cpu);
    return refused === 0 ? P.P11 : unlockAndPut(s, refused);
  }

  /** Only clean pages move without an operation. In V1 a swap-cache page's dirt is add_to_swap's, and goes along. */
  function p11Dirty(s: PassesState): number {
    if (!frames.isDirty(s.page) || (isV1 && frames.isSwapCache(s.page))) return P.P12;
    const result = pageOutSteps.pageout(s.page);
    if (result === PAGE_KEEP || result === PAGE_ACTIVATE) return unlockAndPut(s, -EAGAIN);
    return result === PAGE_SUCCESS ? releaseNew(s, -EAGAIN) : P.P12;
  }

  function p12Buffers(s: PassesState): number {
    if (frames.has(s.page, PG_PRIVATE) && !pageOutSteps.tryToReleasePage(s.page)) return P.P13;
    s.refs = 2;
    return P.R1;
  }

  function p13Fallback(s: PassesState): number {
    if (s.pass <= rule.fallbackAfter) return unlockAndPut(s, -EAGAIN);
    s.fallbacks++;
    frames.unlock(s.fresh);
    s.fresh = NO_PFN;
    return P.W1;
  }

  /** The count check outside the lock: a cheap filter, and the only one of V1. */
  function r1Check(s: PassesState): number {
    if (isV1 && !hasPageMapping(frames, s.page)) return stop(s, 'asserted');
    const refused = references.check(s.page, s.refs);
    if (refused !== 0) return unlockAndPut(s, refused);
    return isV1 ? P.R3 : P.R2;
  }

  function r2Unmap(s: PassesState): number {
    if (isV1) return r2UnmapForEver(s);
    const refused = references.unmap(s.page, s.cpu);
    return refused === 0 ? P.R3 : unlockAndPut(s, refused);
  }

  /** V1 has replaced the slot already, so this "must succeed"; with a locked area it never does. */
  function r2UnmapForEver(s: PassesState): number {
    const result = tryToUnmap(s.page, s.cpu, ACCOUNT_MIGRATION, rule.sparesYoung);
    if (result === UNMAP_FAIL) return WAIT;
    return result === UNMAP_SUCCESS ? P.C1 : P.R2;
  }

  function r3Replace(s: PassesState): number {
    if (isV1) return r3ReplaceUnchecked(s);
    const refused = references.replace(s.page, s.fresh, s.refs);
    return refused === 0 ? P.C1 : unlockAndPut(s, refused);
  }

  /** V1, under the tree lock for readers: the slot is still ours, no more is asked. */
  function r3ReplaceUnchecked(s: PassesState): number {
    if (references.shownInSlot(s.page) !== s.page) return unlockAndPut(s, -EAGAIN);
    const isSwap = frames.isSwapCache(s.page);
    frames.setMapping(
      s.fresh,
      isSwap ? 0 : frames.mapping(s.page),
      isSwap ? frames.private_(s.page) : frames.index(s.page),
    );
    copyPage.replaceSlot(s.page, s.fresh);
    return P.R2;
  }

  function c1Buffers(s: PassesState): number {
    copyPage.moveBuffers(s.page, s.fresh);
    return P.C2;
  }

  function c2Copy(s: PassesState): number {
    copyPage.copyAndRetire(s.page, s.fresh);
    meter.pay(ACCOUNT_MIGRATION, PRICE.restOfMove);
    meter.payCopy(ACCOUNT_MIGRATION, frames.nodeOf(s.page), frames.nodeOf(s.fresh));
    return P.C3;
  }

  /** Real entries again (DM-21); V1 leaves that to the next fault. */
  function c3Restore(s: PassesState): number {
    if (!isV1) removeFromSwap(parts, s.fresh);
    return P.C4;
  }

  function c4Unlock(s: PassesState): number {
    counters.inc(C.pgmigrate_success);
    return unlockAndPut(s, 0);
  }

  /** swap_page(): locked on entry, unlocked when it is over. */
  function w1Unmap(s: PassesState): number {
    if (frames.mapcount(s.page) === 0 || !hasPageMapping(frames, s.page)) return P.W2;
    const result = tryToUnmap(s.page, s.cpu, ACCOUNT_MIGRATION, rule.sparesYoung);
    return result === UNMAP_SUCCESS ? P.W2 : unlockAndPut(s, -EAGAIN);
  }

  function w2Write(s: PassesState): number {
    if (!frames.isDirty(s.page)) return P.W3;
    const result = pageOutSteps.pageout(s.page);
    if (result === PAGE_KEEP || result === PAGE_ACTIVATE) return unlockAndPut(s, -EAGAIN);
    return result === PAGE_SUCCESS ? put(s, -EAGAIN) : P.W3;
  }

  /** An orphan, in no cache once its buffers are gone, is freed by the next pass. */
  function w3Buffers(s: PassesState): number {
    if (!frames.has(s.page, PG_PRIVATE)) return P.W4;
    if (!pageOutSteps.tryToReleasePage(s.page)) return unlockAndPut(s, -EAGAIN);
    const isOrphan = !hasPageMapping(frames, s.page) && frames.count(s.page) === 1;
    return isOrphan ? unlockAndPut(s, -EAGAIN) : P.W4;
  }

  function w4Remove(s: PassesState): number {
    return unlockAndPut(s, pageOutSteps.removeMapping(s.page) ? 0 : -EAGAIN);
  }

  function unlockAndPut(s: PassesState, result: number): number {
    frames.unlock(s.page);
    return releaseNew(s, result);
  }

  function releaseNew(s: PassesState, result: number): number {
    if (s.fresh !== NO_PFN) frames.unlock(s.fresh);
    return put(s, result);
  }

  /** The page is done with in this pass: onto the list that its result says. */
  function put(s: PassesState, result: number): number {
    const { record } = s;
    if (result === -EAGAIN) {
      s.retry++;
      record.retries++;
      s.keep.push(s.page);
    } else if (result === 0) putDone(s);
    else {
      record.fate = 'failed';
      record.errno = -result;
      (isV1 ? s.keep : s.failed).push(s.page);
    }
    return P.NEXT;
  }

  /** DM-13: only the isolation's reference is left of the old page; V1 keeps it on the list until it is met again. */
  function putDone(s: PassesState): void {
    const { record, fresh } = s;
    record.fate = fresh === NO_PFN ? 'swapped' : 'moved';
    record.errno = 0;
    record.to = fresh;
    if (fresh !== NO_PFN) {
      s.to?.pop();
      moveToLru(lru, fresh, s.cpu);
    }
    (isV1 ? s.keep : s.moved).push(s.page);
  }

  function stop(s: PassesState, ending: 'hung' | 'asserted'): number {
    s.ending = ending;
    return DONE;
  }

  const STEPS: ((s: PassesState) => number)[] = [
    ...[next, p1Freed, p2NoneLeft, p3Lock, p4Writeback, p5AddToSwap, p6SwapOut, p7NewPage, p8Mapping, p9Operation],
    ...[p10Unmap, p11Dirty, p12Buffers, p13Fallback, r1Check, r2Unmap, r3Replace],
    ...[c1Buffers, c2Copy, c3Restore, c4Unlock, w1Unmap, w2Write, w3Buffers, w4Remove],
  ];

  function step(s: PassesState, at: number): number {
    if (tracer !== null) tracer.step(NAMES[at], s.page, at >= P.R1 && at <= P.C4 ? s.fresh : s.pass);
    return STEPS[at - 1](s);
  }

  /** With nobody else to go on, a sleeper wakes only when a write ends. */
  function wakes(s: PassesState, at: number): boolean {
    if (at !== P.P4) return false;
    block.waitForPage(s.page);
    return !frames.isWriteback(s.page);
  }

  function run(s: PassesState): void {
    let at: number = P.NEXT;
    while (at !== DONE) {
      const after: number = step(s, at);
      if (after !== WAIT) at = after;
      else if (!wakes(s, at)) at = stop(s, 'hung');
    }
  }

  return { run, step };
}

import { NO_PFN, type CpuId, type Pfn } from '../units.js';
import type { ForEachPlace, PageCache, SwapArea } from '../mm/index.js';
import { C, type Tracer } from '../stats/index.js';
import {
  makeMigratePages,
  type MigratePages,
  type MigratePagesParts,
  type MigratePagesSteps,
  type MigrateResult,
} from './migrate-pages.js';
import type { NewPage } from './migrate-state.js';
import { putbackLruPages } from './lists.js';
import type { PageMappingRule } from './operation.js';
import { makePageOutSteps } from './page-out.js';
import { makePasses, type Passes, type PassesRule } from './passes.js';
import { newRecords, PassesState, type MigrateRecord } from './passes-state.js';
import { makeRemoveReferences } from './remove-references.js';
import type { SwapOut } from './swap-out.js';
import type { TryToUnmap } from './unmap.js';

export interface MoverParts extends MigratePagesParts {
  readonly swap: SwapArea;
  readonly pageCache: PageCache;
  readonly swapOut: SwapOut;
  readonly tryToUnmap: TryToUnmap;
  readonly forEachPlace: ForEachPlace;
  readonly rules: MigratePagesParts['rules'] & { readonly pageMapping: PageMappingRule };
  readonly tracer: Tracer | null;
  /** RC-51: a file system that cannot let go of a page's buffers now; absent: every one can. */
  readonly buffersBusy?: (pfn: Pfn) => boolean;
}

/** Rule variant `mover`: who moves a list of isolated pages. */
export interface MoverRule {
  make(parts: MoverParts): Mover;
}

export interface Mover extends MigratePages {
  /** The steps of one call, for drivers that take them one at a time: one of the two, whichever the mover has. */
  readonly batches: MigratePagesSteps | null;
  readonly passes: Passes | null;
  /** The swap form of the same passes: isolated pages are written out instead of moved (section 4); null: the mover has none. */
  readonly evict: ((pages: readonly Pfn[], cpu: CpuId) => MigrateResult) | null;
}

/** What the movers of 2005 and 2006 say of a call, beside its result. */
export interface RecordedResult extends MigrateResult {
  readonly record: MigrateRecord;
}

/** [6.x] Batches of 512 with migration entries. */
export const moverBatches: MoverRule = {
  make(parts) {
    const batches = makeMigratePages(parts);
    return { migratePages: batches.migratePages, batches, passes: null, evict: null };
  },
};
const merged: PassesRule = { isV1: false, unmapsFirst: false, fallbackAfter: 4, sparesYoung: false };
/** [2.6.16] Direct migration as merged, page by page in up to eleven passes. */
export const moverPasses = direct(merged);
/** [2.6.17-rc4] The same with P10. */
export const moverPasses2617 = direct({ ...merged, unmapsFirst: true });
/** [Nov 2005] Direct Migration V1. */
export const moverV1 = direct({ isV1: true, unmapsFirst: false, fallbackAfter: 2, sparesYoung: true });
/** [2.6.16-rc1] Swap migration: pages only leave, and come back wherever the policy of the next toucher says. */
export const moverSwapOnly: MoverRule = {
  make: (parts) => makePassesMover(parts, { ...merged, sparesYoung: true }, true),
};

function direct(rule: PassesRule): MoverRule {
  return { make: (parts) => makePassesMover(parts, rule, false) };
}

/** DM-15: new pages are taken in chunks; a chunk ends after this many. */
const MIGRATE_CHUNK_SIZE = 256;

function makePassesMover(parts: MoverParts, rule: PassesRule, evictsOnly: boolean): Mover {
  const { frames, lru, counters } = parts;
  const passes = makePasses(
    {
      ...parts,
      references: makeRemoveReferences({ ...parts, pageMapping: parts.rules.pageMapping }),
      pageOutSteps: makePageOutSteps({ buffersBusy: null, ...parts, shmemWritesAtOnce: false, tracer: null }, null),
    },
    rule,
  );

  /** Kernel: migrate_pages_to(), mm/mempolicy.c, 2.6.16; without new pages migrate_pages() alone. */
  function migratePages(pages: readonly Pfn[], newPage: NewPage | null, cpu: CpuId): RecordedResult {
    const records = newRecords(pages);
    const record: MigrateRecord = {
      ...{ result: 0, passes: 0, slots: 0, fallbacks: 0, ending: 'returned' },
      pages: [...records.values()],
    };
    const failed: Pfn[] = [];
    let from: readonly Pfn[] = pages;
    let noMemory = false;
    while (from.length > 0) {
      const to = evictsOnly || newPage === null ? null : chunkOf(from, newPage);
      noMemory = to?.isShort === true;
      if (noMemory) {
        giveBack(to?.frames ?? []); // DM-16: nothing of this chunk moves
        break;
      }
      const s = new PassesState(from, to?.frames ?? null, cpu, records);
      passes.run(s);
      record.passes = Math.max(record.passes, s.pass + 1);
      record.slots += s.slots;
      record.fallbacks += s.fallbacks;
      if (s.ending !== 'returned') {
        record.ending = s.ending;
        return { failed: unfinished(record), noMemory: false, neverReturns: true, record };
      }
      putbackLruPages(lru, s.moved, cpu);
      failed.push(...s.failed);
      from = rule.isV1 ? withoutFinished(s.from, cpu) : s.from;
      if (to === null) break;
      const isUsedUp = to.frames.length === 0;
      giveBack(to.frames);
      if (!isUsedUp) break;
    }
    putbackLruPages(lru, [...failed, ...from], cpu);
    record.result = unfinished(record);
    counters.add(C.pgmigrate_fail, record.result);
    return { failed: record.result, noMemory, record };
  }

  /** Up to 257 new pages, one for each old page; `isShort`: memory was used up. */
  function chunkOf(from: readonly Pfn[], newPage: NewPage): { frames: Pfn[]; isShort: boolean } {
    const chunk: Pfn[] = [];
    for (const old of from) {
      const fresh = newPage(old);
      if (fresh === NO_PFN) return { frames: chunk, isShort: true };
      chunk.push(fresh);
      if (chunk.length > MIGRATE_CHUNK_SIZE) break;
    }
    return { frames: chunk, isShort: false };
  }

  function giveBack(unused: Pfn[]): void {
    for (const pfn of unused) lru.put(pfn);
    unused.length = 0;
  }

  /** V1 leaves finished old pages on the list, with one reference. */
  function withoutFinished(from: readonly Pfn[], cpu: CpuId): Pfn[] {
    const finished = from.filter((pfn) => frames.count(pfn) === 1);
    const rest = from.filter((pfn) => frames.count(pfn) !== 1);
    putbackLruPages(lru, finished, cpu);
    return rest;
  }

  return { migratePages, batches: null, passes, evict: (pages, cpu) => migratePages(pages, null, cpu) };
}

const unfinished = ({ pages }: MigrateRecord): number =>
  pages.filter(({ fate }) => fate === 'left' || fate === 'failed').length;

import * as z from 'zod';

/**
 * The shape of NAME.json, which says what the numbers in the rows mean. Keys that are not listed are ignored, so that
 * a recorder may say more. What the fields must say about each other is in check-sidecar.ts.
 */

/** Page numbers below this limit (4 TiB): a quarter of what their 32 bits hold, so that the page ids of a machine suffice. */
export const PAGE_LIMIT = 2 ** 30;
const TID_LIMIT = 2 ** 16;
const FORMAT = 'numa-page-trace';

/** Private memory of one process. */
const MEMORY_KINDS = ['heap', 'mmap', 'stack', 'data', 'other'] as const;
const EVENT_KINDS = ['output', 'unmap', 'discard', 'move', 'exit'] as const;

const count = z.int().min(0);
const row = count;
const rowOrNever = row.nullable().default(null);
const pid = count;
const tid = z
  .int()
  .min(0)
  .max(TID_LIMIT - 1);
const pages = z.int().min(1).max(PAGE_LIMIT);
const firstPage = z
  .int()
  .min(0)
  .max(PAGE_LIMIT - 1);
const address = z
  .string()
  .refine(isPageAddress, 'a page-aligned address below 2^48 in hexadecimal, such as "0x7fff0000e000"');

const memoryRegion = z.object({
  id: count,
  kind: z.enum(MEMORY_KINDS),
  name: z.string(),
  first_page: firstPage,
  pages,
  process: pid,
  vaddr: address,
  /** Pages that the mapping covers, touched or not. */
  reserved_pages: pages.optional(),
  by_tid: tid,
  map_row: row,
  /** Row before which it was unmapped explicitly; null: it lives until its process ends. */
  unmap_row: rowOrNever,
});

/** Part of a file in the page cache: belongs to no process. */
const fileRegion = z.object({
  id: count,
  kind: z.literal('file'),
  name: z.string(),
  first_page: firstPage,
  pages,
  /** Page of the file that `first_page` is. */
  file_page: count,
  file_pages: count.optional(),
});

const fileMapping = z.object({
  process: pid,
  /** Id of a region of kind file: the file. Several regions may show parts of the same one. */
  region: count,
  vaddr: address,
  file_page: count,
  pages: z.int().min(1),
  writable: z.boolean(),
  shared: z.boolean(),
  map_row: row,
  unmap_row: rowOrNever,
});

const pageRange = { tid, first_page: firstPage, pages };
const event = z.discriminatedUnion(
  'kind',
  [
    /** A line that the program printed: marks its phases. */
    z.object({ row, kind: z.literal('output'), tid, text: z.string() }),
    z.object({ row, kind: z.literal('unmap'), ...pageRange }),
    /** Freed, but still mapped: the next touch is a first touch. */
    z.object({ row, kind: z.literal('discard'), ...pageRange }),
    /** mremap: the pages keep their numbers and get another address. */
    z.object({ row, kind: z.literal('move'), ...pageRange, vaddr: address.optional() }),
    z.object({ row, kind: z.literal('exit'), process: pid }),
  ],
  { error: oneOf(EVENT_KINDS) },
);

export const sidecarSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  name: z.string().min(1),
  title: z.string().default(''),
  page_bytes: z.literal(4096),
  rows: z.int().min(1),
  capture: z
    .object({
      quantum_accesses: z.int().min(1).optional(),
      fold: z.string().optional(),
      cache_kib: count.optional(),
    })
    .default({}),
  processes: z
    .array(
      z.object({
        pid,
        name: z.string(),
        first_row: row,
        last_row: row,
        rows: count,
        quantum_accesses: z.int().min(1).optional(),
        /** The recording was stopped before the program ended. */
        truncated: z.boolean().default(false),
        /** Job slot of a parallel build. */
        slot: count.optional(),
      }),
    )
    .min(1),
  threads: z
    .array(
      z.object({
        tid,
        process: pid,
        /** The thread that created it; null: the first of its process. */
        parent: tid.nullable().default(null),
        start_row: row,
        /** Row before which it ended; null: not within the trace. */
        end_row: rowOrNever,
      }),
    )
    .min(1),
  regions: z
    .array(z.discriminatedUnion('kind', [memoryRegion, fileRegion], { error: oneOf([...MEMORY_KINDS, 'file']) }))
    .min(1),
  file_mappings: z.array(fileMapping).default([]),
  events: z.array(event).default([]),
});

export type Sidecar = z.output<typeof sidecarSchema>;
export type TraceProcess = Sidecar['processes'][number];
export type TraceThread = Sidecar['threads'][number];
export type Region = Sidecar['regions'][number];
export type MemoryRegion = z.output<typeof memoryRegion>;
export type FileRegion = z.output<typeof fileRegion>;
export type RegionKind = Region['kind'];
export type FileMapping = z.output<typeof fileMapping>;
export type TraceEvent = z.output<typeof event>;

function isPageAddress(text: string): boolean {
  return /^0x[0-9a-f]{1,12}$/i.test(text) && Number(text) % 4096 === 0;
}

function oneOf(words: readonly string[]): string {
  return `one of ${words.map((word) => `"${word}"`).join(', ')}`;
}

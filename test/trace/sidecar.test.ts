import { describe, expect, it } from 'vitest';
import { parseSidecar, pageCount, RegionMap, vpnOf, type Sidecar } from '../../src/trace/index.js';
import { anonymous, file, fileMapping, output, sidecarFor } from '../support/write-trace.js';
import { errorOf } from '../support/error-of.js';

/** Twelve rows of two threads on four pages; the mapping of page 4 and the file of pages 5 and 6 are never touched. */
const good: Sidecar = {
  ...sidecarFor(
    Array.from({ length: 12 }, (_, i) => [i, i % 2, i % 4, 0, 1, 0] as const),
    'good',
  ),
  regions: [
    anonymous({ pages: 4 }),
    anonymous({ id: 7, first_page: 4, map_row: 2, unmap_row: 9 }),
    file({ id: 8, first_page: 5, pages: 2 }),
  ],
  file_mappings: [fileMapping({ region: 8, pages: 2 })],
  events: [
    output(3, 'begin'),
    { row: 9, kind: 'unmap', tid: 0, first_page: 4, pages: 1 },
    { row: 12, kind: 'exit', process: 0 },
  ],
};

/** The error of `good` with the value at `path` (keys joined by dots) replaced; `undefined` removes it. */
function errorWith(path: string, value: unknown): { code: string; message: string } {
  const document = structuredClone(good) as unknown as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop()!;
  const owner = keys.reduce((object, key) => object[key] as Record<string, unknown>, document);
  if (value === undefined) Reflect.deleteProperty(owner, last);
  else owner[last] = value;
  return errorOf(() => parseSidecar(JSON.stringify(document), 'good.json'));
}

describe('a sidecar that agrees with itself', () => {
  it('is read as it is', () => {
    expect(parseSidecar(JSON.stringify(good), 'good.json')).toEqual(good);
  });

  it('may hold keys that nobody asked for', () => {
    const more = { ...good, colour: 'red', regions: good.regions.map((region) => ({ ...region, shade: 1 })) };
    expect(parseSidecar(JSON.stringify(more), 'good.json')).toEqual(good);
  });

  it('may leave out what has a plain default', () => {
    const { title: _title, capture: _capture, file_mappings: _mappings, events: _events, ...rest } = good;
    const read = parseSidecar(JSON.stringify(rest), 'good.json');
    expect([read.title, read.capture, read.file_mappings, read.events]).toEqual(['', {}, [], []]);
  });

  it('tells the region of each page, whatever the order of the regions', () => {
    const map = new RegionMap([...good.regions].reverse());
    expect([0, 3, 4, 5, 6, 7, 1e9].map((page) => map.regionOfPage(page))).toEqual([2, 2, 1, 0, 0, -1, -1]);
    expect(pageCount(good)).toBe(7);
  });

  it('gives page numbers of 48-bit addresses exactly', () => {
    expect(['0x0', '0x1000', '0x7ffffffff000', '0xfffffffff000'].map(vpnOf)).toEqual([0, 1, 2 ** 35 - 1, 2 ** 36 - 1]);
  });
});

describe('a sidecar that is no sidecar', () => {
  it.each([
    ['', 'good.json is not JSON: '],
    ['{"rows": 1,\n "name" "x"}', 'good.json is not JSON: '],
    ['{"rows": 1', 'good.json is not JSON: '],
    ['[1, 2]', 'good.json: the document is [1,2]; expected an object'],
    ['null', 'good.json: the document is null; expected an object'],
    ['{}', 'good.json: format is missing; expected "numa-page-trace"'],
  ])('is one line of error: %j', (text, start) => {
    const { code, message } = errorOf(() => parseSidecar(text, 'good.json'));
    expect(code).toBe('BAD_SIDECAR');
    expect(message.startsWith(start)).toBe(true);
    expect(message).not.toMatch(/[\r\n]/);
  });

  it('says at which line JSON breaks', () => {
    const { message } = errorOf(() => parseSidecar('{"rows": 1,\n "name" "x"}', 'good.json'));
    expect(message).toContain('at line 2, column 9');
  });
});

const WRONG_FIELDS: [path: string, value: unknown, message: string][] = [
  ['format', 'csv', 'format is "csv"; expected "numa-page-trace"'],
  ['version', 2, 'version is 2; expected 1'],
  ['page_bytes', 65536, 'page_bytes is 65536; expected 4096'],
  ['name', '', 'name is ""; expected at least 1 character'],
  ['rows', undefined, 'rows is missing; expected a whole number'],
  ['rows', 11.5, 'rows is 11.5; expected a whole number'],
  ['rows', 0, 'rows is 0; expected at least 1'],
  ['rows', 13, 'rows is 13; expected the sum of processes[].rows, 12'],
  ['processes', [], 'processes is []; expected at least 1 element'],
  ['processes.0.last_row', 99, 'processes[0].last_row is 99; expected a row from 0 to 12'],
  ['threads.1.tid', 0, 'threads[1].tid is 0; expected another: threads[0] has it'],
  ['threads.1.tid', 70000, 'threads[1].tid is 70000; expected at most 65535'],
  ['threads.1.process', 4, 'threads[1].process is 4; expected a process of this trace'],
  ['threads.1.parent', 9, 'threads[1].parent is 9; expected a thread of this trace'],
  ['threads.1.parent', 1, 'threads[1].parent is 1; expected another thread than itself'],
  ['threads.1.start_row', -1, 'threads[1].start_row is -1; expected at least 0'],
  ['threads.1.end_row', 13, 'threads[1].end_row is 13; expected a row from 0 to 12'],
  [
    'regions.0.kind',
    'swap',
    'regions[0].kind is "swap"; expected one of "heap", "mmap", "stack", "data", "other", "file"',
  ],
  [
    'regions.0.kind',
    undefined,
    'regions[0].kind is missing; expected one of "heap", "mmap", "stack", "data", "other", "file"',
  ],
  ['regions.0.pages', 0, 'regions[0].pages is 0; expected at least 1'],
  ['regions.0.pages', '4', 'regions[0].pages is "4"; expected a whole number'],
  ['regions.0.pages', 5, 'regions[1].first_page is 4; expected no overlap, but region 0 ends before page 5'],
  ['regions.0.first_page', 2 ** 30, 'regions[0].first_page is 1073741824; expected at most 1073741823'],
  ['regions.0.reserved_pages', 3, 'regions[0].reserved_pages is 3; expected at least its pages, 4'],
  [
    'regions.0.vaddr',
    '0x1234',
    'regions[0].vaddr is "0x1234"; expected a page-aligned address below 2^48 in hexadecimal, such as "0x7fff0000e000"',
  ],
  [
    'regions.0.vaddr',
    '0x1000000000000',
    'regions[0].vaddr is "0x1000000000000"; expected a page-aligned address below 2^48 in hexadecimal, such as "0x7fff0000e000"',
  ],
  ['regions.0.by_tid', 5, 'regions[0].by_tid is 5; expected a thread of this trace'],
  ['regions.0.process', undefined, 'regions[0].process is missing; expected a whole number'],
  ['regions.1.id', 0, 'regions[1].id is 0; expected another: regions[0] has it'],
  ['regions.1.unmap_row', 1, 'regions[1].unmap_row is 1; expected a row from 2 to 12'],
  ['regions.2.file_pages', 1, 'regions[2].file_pages is 1; expected at least file_page + pages, 2'],
  ['file_mappings.0.region', 3, 'file_mappings[0].region is 3; expected a region of this trace'],
  ['file_mappings.0.region', 7, 'file_mappings[0].region is 7; expected a region of kind file, not mmap'],
  ['file_mappings.0.writable', 'yes', 'file_mappings[0].writable is "yes"; expected true or false'],
  ['events.0.kind', 'crash', 'events[0].kind is "crash"; expected one of "output", "unmap", "discard", "move", "exit"'],
  ['events.0.row', 10, 'events[1].row is 9; expected a row from 10 to 12'],
  ['events.1.pages', 2, 'events[1].first_page is 4; expected pages 4 to 5 within one region'],
  ['events.1.first_page', 9, 'events[1].first_page is 9; expected pages 9 to 9 within one region'],
  ['events.2.row', 13, 'events[2].row is 13; expected a row from 9 to 12'],
  ['events.2.process', 1, 'events[2].process is 1; expected a process of this trace'],
];

describe('a sidecar with one wrong field', () => {
  it.each(WRONG_FIELDS)('names it, its value and what was expected: %s = %j', (path, value, message) => {
    expect(errorWith(path, value)).toEqual({ code: 'BAD_SIDECAR', message: `good.json: ${message}` });
  });

  it('cuts a long value short', () => {
    expect(errorWith('version', 'v'.repeat(500)).message.length).toBeLessThan(120);
  });
});

import { RegionMap } from './region-map.js';
import type { FileMapping, Region, Sidecar, TraceEvent, TraceProcess, TraceThread } from './sidecar-schema.js';
import { MmError } from '../errors.js';

/**
 * Does the sidecar agree with itself? Ids are unique and name something that exists, rows lie within the trace,
 * regions do not overlap, page ranges of events lie within one region, events are in row order.
 *
 * @throws MmError BAD_SIDECAR for the first field that does not
 */
export function checkSidecar(sidecar: Sidecar, file: string): void {
  const { rows, processes, threads, regions, file_mappings: mappings, events } = sidecar;
  const fail = (field: string, is: string | number | null, expected: string): never => {
    throw new MmError('BAD_SIDECAR', `${file}: ${field} is ${String(is)}; expected ${expected}`);
  };
  const known = {
    process: uniqueIds(
      'processes',
      'pid',
      processes.map((process) => process.pid),
    ),
    thread: uniqueIds(
      'threads',
      'tid',
      threads.map((thread) => thread.tid),
    ),
    region: uniqueIds(
      'regions',
      'id',
      regions.map((region) => region.id),
    ),
  };

  processes.forEach(checkProcess);
  const sum = processes.reduce((total, process) => total + process.rows, 0);
  if (sum !== rows) fail('rows', rows, `the sum of processes[].rows, ${String(sum)}`);
  threads.forEach(checkThread);
  regions.forEach(checkRegion);
  checkOverlap();
  const map = new RegionMap(regions);
  mappings.forEach(checkMapping);
  events.forEach(checkEvent);

  function uniqueIds(list: string, key: string, ids: readonly number[]): Map<number, number> {
    const places = new Map<number, number>();
    ids.forEach((id, place) => {
      const first = places.get(id);
      if (first !== undefined)
        fail(`${list}[${String(place)}].${key}`, id, `another: ${list}[${String(first)}] has it`);
      places.set(id, place);
    });
    return places;
  }

  function mustExist(kind: keyof typeof known, id: number, field: string): void {
    if (!known[kind].has(id)) fail(field, id, `a ${kind} of this trace`);
  }

  function mustLieBetween(row: number | null, low: number, high: number, field: string): void {
    if (row !== null && (row < low || row > high)) fail(field, row, `a row from ${String(low)} to ${String(high)}`);
  }

  function checkProcess(process: TraceProcess, place: number): void {
    const at = `processes[${String(place)}]`;
    mustLieBetween(process.first_row, 0, rows, `${at}.first_row`);
    mustLieBetween(process.last_row, process.first_row, rows, `${at}.last_row`);
  }

  function checkThread(thread: TraceThread, place: number): void {
    const at = `threads[${String(place)}]`;
    mustExist('process', thread.process, `${at}.process`);
    mustLieBetween(thread.start_row, 0, rows, `${at}.start_row`);
    mustLieBetween(thread.end_row, thread.start_row, rows, `${at}.end_row`);
    if (thread.parent === null) return;
    mustExist('thread', thread.parent, `${at}.parent`);
    if (thread.parent === thread.tid) fail(`${at}.parent`, thread.parent, 'another thread than itself');
  }

  function checkRegion(region: Region, place: number): void {
    const at = `regions[${String(place)}]`;
    if (region.kind === 'file') {
      const end = region.file_page + region.pages;
      if (region.file_pages !== undefined && region.file_pages < end)
        fail(`${at}.file_pages`, region.file_pages, `at least file_page + pages, ${String(end)}`);
      return;
    }
    mustExist('process', region.process, `${at}.process`);
    mustExist('thread', region.by_tid, `${at}.by_tid`);
    mustLieBetween(region.map_row, 0, rows, `${at}.map_row`);
    mustLieBetween(region.unmap_row, region.map_row, rows, `${at}.unmap_row`);
    if (region.reserved_pages !== undefined && region.reserved_pages < region.pages)
      fail(`${at}.reserved_pages`, region.reserved_pages, `at least its pages, ${String(region.pages)}`);
  }

  function checkOverlap(): void {
    const sorted = [...regions].sort((a, b) => a.first_page - b.first_page);
    for (let i = 1; i < sorted.length; i++) {
      const [before, region] = [sorted[i - 1], sorted[i]];
      const end = before.first_page + before.pages;
      if (region.first_page >= end) continue;
      const field = `regions[${String(regions.indexOf(region))}].first_page`;
      fail(field, region.first_page, `no overlap, but region ${String(before.id)} ends before page ${String(end)}`);
    }
  }

  function checkMapping(mapping: FileMapping, place: number): void {
    const at = `file_mappings[${String(place)}]`;
    mustExist('process', mapping.process, `${at}.process`);
    mustExist('region', mapping.region, `${at}.region`);
    const { kind } = regions[known.region.get(mapping.region) ?? 0];
    if (kind !== 'file') fail(`${at}.region`, mapping.region, `a region of kind file, not ${kind}`);
    mustLieBetween(mapping.map_row, 0, rows, `${at}.map_row`);
    mustLieBetween(mapping.unmap_row, mapping.map_row, rows, `${at}.unmap_row`);
  }

  function checkEvent(event: TraceEvent, place: number): void {
    const at = `events[${String(place)}]`;
    mustLieBetween(event.row, place === 0 ? 0 : events[place - 1].row, rows, `${at}.row`);
    if (event.kind === 'exit') mustExist('process', event.process, `${at}.process`);
    else mustExist('thread', event.tid, `${at}.tid`);
    if (event.kind === 'exit' || event.kind === 'output') return;
    const { first_page: first, pages } = event;
    const region: Region | undefined = regions[map.regionOfPage(first)];
    if (region === undefined || first + pages > region.first_page + region.pages)
      fail(`${at}.first_page`, first, `pages ${String(first)} to ${String(first + pages - 1)} within one region`);
  }
}

import type { FileMapping, Region } from '../sidecar-schema.js';
import { PAGE_BYTES } from '../../units.js';

/** A stretch of page numbers: memory of a process, or a file. */
export interface Area {
  readonly name: string;
  readonly pages: number;
  readonly kind: 'mmap' | 'heap' | 'file';
  /** The process whose memory it is; of a file, those that map it. */
  readonly processes: readonly number[];
}

/** Where memory begins in each address space, and what lies between two areas at least: nothing shares a page table. */
const FIRST_ADDRESS = 2 ** 44;
const ALIGNMENT = 2 ** 30;

/** Areas that each process has one of: `pages` long, one process after the other. */
export function areaPerProcess(name: string, processes: number, pages: number, kind: Area['kind'] = 'mmap'): Area[] {
  return Array.from({ length: processes }, (_, process) => ({ name, pages, kind, processes: [process] }));
}

/**
 * What the sidecar says of the areas.
 *
 * @param firstRow of each process: its memory is mapped then
 * @param mainTid of each process
 */
export function regionsOf(
  areas: readonly Area[],
  firstRow: readonly number[],
  mainTid: readonly number[],
): { regions: Region[]; mappings: FileMapping[] } {
  const regions: Region[] = [];
  const mappings: FileMapping[] = [];
  const nextAddress = firstRow.map(() => FIRST_ADDRESS);
  const place = (process: number, pages: number): string => {
    const address = nextAddress[process];
    nextAddress[process] = Math.ceil((address + pages * PAGE_BYTES + 1) / ALIGNMENT) * ALIGNMENT;
    return `0x${address.toString(16)}`;
  };
  let firstPage = 0;
  areas.forEach(({ name, pages, kind, processes }, id) => {
    const common = { id, name, first_page: firstPage, pages };
    firstPage += pages;
    if (kind === 'file') {
      regions.push({ ...common, kind, file_page: 0, file_pages: pages });
      for (const process of processes) {
        mappings.push({
          ...{ process, region: id, vaddr: place(process, pages), file_page: 0, pages, writable: false, shared: true },
          ...{ map_row: firstRow[process], unmap_row: null },
        });
      }
      return;
    }
    const [process] = processes;
    const vaddr = place(process, pages);
    const map = { map_row: firstRow[process], unmap_row: null, by_tid: mainTid[process] };
    regions.push({ ...common, kind, process, vaddr, reserved_pages: pages, ...map });
  });
  return { regions, mappings };
}

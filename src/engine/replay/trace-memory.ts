import { int32s } from '../../arrays.js';
import { ModelBug } from '../../errors.js';
import {
  VM_EXEC,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  type FileObject,
  type Mempolicy,
  type Task,
  type Vma,
} from '../../mm/index.js';
import {
  pageCount,
  RegionMap,
  type FileMapping,
  type FileRegion,
  type MemoryRegion,
  type Region,
  type Sidecar,
} from '../../trace/index.js';
import { NO_PAGE } from '../../units.js';
import type { Machine } from '../machine.js';
import { eachOwnPart, TraceAddresses } from './trace-addresses.js';
import { isFileRegion, regionMatches, regionsNamed } from './trace-regions.js';

/** In a process's table of page ids: not looked up yet; and a file page that no mapping covers. */
const UNKNOWN = 0;
const NOT_MAPPED = -1;
/** Pages under one leaf table: their ids follow each other. */
const LEAF = 512;

/** A policy for the regions that match a word of the run (`vma=REGION:POLICY`). */
export interface RegionPolicy {
  readonly region: string;
  readonly policyFor: (task: Task) => Mempolicy;
}

/** A mapping of a file, and where it lies. */
interface MappedFile {
  readonly mapping: FileMapping;
  readonly start: number;
  readonly file: FileObject;
}

/** Where a file page of the trace lies in its file. */
export interface FilePage {
  readonly file: FileObject;
  readonly index: number;
}

/**
 * The memory of a trace in a machine: which process maps what where, and the page id behind each page number of the
 * trace. Regions and mappings come and go at their rows; page numbers are never reused.
 */
export class TraceMemory {
  private readonly regions: RegionMap;
  private readonly files = new Map<string, FileObject>();
  private readonly pageIds = new Map<number, Int32Array>();
  private readonly mappings = new Map<number, MappedFile[]>();
  readonly addresses = new TraceAddresses();
  private readonly pages: number;

  constructor(
    private readonly machine: Machine,
    private readonly sidecar: Sidecar,
    private readonly policies: readonly RegionPolicy[],
  ) {
    this.regions = new RegionMap(sidecar.regions);
    this.pages = pageCount(sidecar);
    for (const region of sidecar.regions) if (isFileRegion(region)) this.addFile(region);
  }

  /** Page ids of a process by trace page: > 0 an id; else to be resolved. */
  idsOf(process: number): Int32Array {
    let ids = this.pageIds.get(process);
    if (ids === undefined) {
      ids = int32s(this.pages);
      this.pageIds.set(process, ids);
    }
    return ids;
  }

  mapRegion(region: MemoryRegion, task: Task): void {
    const start = this.addresses.placeRegion(region, task.space);
    this.forget(region.process, task, start, region.pages);
    const flags = VM_READ | VM_WRITE | (region.kind === 'data' ? VM_EXEC : 0);
    const attributes = { flags, name: region.name, tracePage: region.first_page };
    const vma = this.machine.memory.mmap(task.space, start, region.pages, attributes, task.cpu);
    this.applyPolicies(region, vma, task);
  }

  mapFile(mapping: FileMapping, task: Task): void {
    const region = this.fileRegion(mapping.region);
    const start = this.addresses.place(mapping, task.space);
    this.forget(mapping.process, task, start, mapping.pages);
    const flags = VM_READ | VM_EXEC | (mapping.writable ? VM_WRITE : 0) | (mapping.shared ? VM_SHARED : 0);
    const file = this.fileNamed(region.name);
    file.sizePages = Math.max(file.sizePages, mapping.file_page + mapping.pages);
    const attributes = { flags, file, filePage: mapping.file_page, name: region.name };
    const vma = this.machine.memory.mmap(task.space, start, mapping.pages, attributes, task.cpu);
    this.mappingsOf(mapping.process).push({ mapping, start, file });
    this.forgetFilePages(mapping.process, file, mapping.file_page, mapping.pages);
    this.applyPolicies(region, vma, task);
  }

  unmapFile(mapping: FileMapping, task: Task): void {
    const list = this.mappingsOf(mapping.process);
    const at = list.findIndex((mapped) => mapped.mapping === mapping);
    if (at < 0) return;
    const [{ start, file }] = list.splice(at, 1);
    const shift = mapping.file_page - start;
    const isOwn = (vma: Vma) => vma.file === file && vma.filePage - vma.start === shift;
    eachOwnPart(task.space, start, mapping.pages, isOwn, (from, pages) => {
      this.unmap(mapping.process, task, from, pages);
    });
  }

  /** Unmaps pages of the trace: an `unmap` event, or the end of a region. */
  unmapPages(process: number, first: number, pages: number, task: Task): void {
    this.eachMapped(first, pages, task, (start, count) => {
      this.unmap(process, task, start, count);
    });
  }

  discardPages(first: number, pages: number, task: Task): void {
    this.eachMapped(first, pages, task, (start, count) => {
      this.machine.memory.discard(task.space, start, count, task.cpu);
    });
  }

  /** The process is gone: its ids mean nothing any more. */
  forgetProcess(process: number): void {
    this.pageIds.delete(process);
    this.mappings.delete(process);
  }

  /**
   * Looks up the page id of a trace page in a process, and remembers it.
   * @returns the id, or -1: a file page that no mapping covers, to be read or written by a call
   */
  resolve(process: number, page: number, task: Task): number {
    const ids = this.idsOf(process);
    const region = this.sidecar.regions[this.regions.regionOfPage(page)];
    const found = isFileRegion(region)
      ? this.idInMapping(process, region, page, task)
      : this.idInRegion(region, page, task);
    ids[page] = found;
    return found;
  }

  filePage(page: number): FilePage | null {
    const region = this.sidecar.regions[this.regions.regionOfPage(page)];
    if (!isFileRegion(region)) return null;
    return { file: this.fileNamed(region.name), index: region.file_page + page - region.first_page };
  }

  /** Areas of a process that a word names: id, name or kind of regions; null: all of them. */
  vmasOf(process: number, task: Task, word: string | null): Vma[] {
    if (word === null) return [...task.space.vmas];
    const names = regionsNamed(this.sidecar, word);
    return [...task.space.vmas].filter((vma) =>
      names.some((region) =>
        isFileRegion(region)
          ? vma.file !== null && vma.name === region.name
          : region.process === process &&
            vma.tracePage >= region.first_page &&
            vma.tracePage < region.first_page + region.pages,
      ),
    );
  }

  private addFile(region: FileRegion): void {
    const end = Math.max(region.file_pages ?? 0, region.file_page + region.pages);
    let file = this.files.get(region.name);
    if (file === undefined) {
      file = this.machine.files.create('file', region.name, end);
      this.files.set(region.name, file);
    }
    file.sizePages = Math.max(file.sizePages, end);
    file.addTraceRange(region.file_page, region.pages, region.first_page);
  }

  private fileNamed(name: string): FileObject {
    const file = this.files.get(name);
    if (file === undefined) throw new ModelBug(`no file ${name}`);
    return file;
  }

  private fileRegion(id: number): FileRegion {
    const region = this.sidecar.regions.find((candidate) => candidate.id === id);
    if (region === undefined || !isFileRegion(region)) throw new ModelBug(`region ${String(id)} is no file`);
    return region;
  }

  private mappingsOf(process: number): MappedFile[] {
    let list = this.mappings.get(process);
    if (list === undefined) {
      list = [];
      this.mappings.set(process, list);
    }
    return list;
  }

  private idInRegion(region: MemoryRegion, page: number, task: Task): number {
    const vpn = this.addresses.startOf(region) + page - region.first_page;
    const vma = task.space.find(vpn);
    if (vma === null || vma.tracePage + vpn - vma.start !== page) return NOT_MAPPED;
    return this.idIn(vma, vpn, region, page, region.process);
  }

  private idInMapping(process: number, region: FileRegion, page: number, task: Task): number {
    const filePage = region.file_page + page - region.first_page;
    for (const { mapping, start, file } of this.mappingsOf(process)) {
      const offset = filePage - mapping.file_page;
      if (file.name !== region.name || offset < 0 || offset >= mapping.pages) continue;
      const area = task.space.find(start + offset);
      if (area?.file !== file || area.filePage + start + offset - area.start !== filePage) continue; // mapped over
      return this.idIn(area, start + offset, region, page, process);
    }
    return NOT_MAPPED;
  }

  /** The id of a page in an area; those of its neighbours under the same leaf table are remembered on the way. */
  private idIn(vma: Vma, vpn: number, region: Region, page: number, process: number): number {
    const id = this.machine.spaces.pageIn(vma, vpn - vma.start);
    if (id === NO_PAGE) return NOT_MAPPED;
    const ids = this.idsOf(process);
    const inLeaf = id & (LEAF - 1);
    const before = Math.min(inLeaf, page - region.first_page, vpn - vma.start);
    const after = Math.min(LEAF - 1 - inLeaf, region.first_page + region.pages - 1 - page, vma.end - 1 - vpn);
    for (let i = -before; i <= after; i++) ids[page + i] = id + i;
    return id;
  }

  private unmap(process: number, task: Task, start: number, pages: number): void {
    this.forget(process, task, start, pages);
    this.machine.memory.munmap(task.space, start, pages, task.cpu);
  }

  /** Ids of what is mapped in a range of addresses are not valid any more. */
  private forget(process: number, task: Task, start: number, pages: number): void {
    const ids = this.idsOf(process);
    for (const vma of task.space.vmas.within(start, start + pages)) {
      if (vma.file !== null) this.forgetFilePages(process, vma.file, vma.filePage, vma.pages);
      else if (vma.tracePage >= 0) {
        const from = Math.max(0, start - vma.start);
        const until = Math.min(vma.pages, start + pages - vma.start);
        ids.fill(UNKNOWN, vma.tracePage + from, vma.tracePage + until);
      }
    }
  }

  private forgetFilePages(process: number, file: FileObject, first: number, pages: number): void {
    const ids = this.idsOf(process);
    for (let index = first; index < first + pages; index++) {
      const page = file.tracePageAt(index);
      if (page >= 0) ids[page] = UNKNOWN;
    }
  }

  private applyPolicies(region: Region, vma: Vma, task: Task): void {
    for (const { region: word, policyFor } of this.policies) {
      if (!regionMatches(region, word)) continue;
      const policy = policyFor(task);
      this.machine.policy.mbind(task.space, vma.start, vma.pages, policy);
      policy.refs--; // its areas hold it now
    }
  }

  /** Where the private pages of a range are still mapped: page numbers of addresses, region by region. */
  private eachMapped(first: number, pages: number, task: Task, act: (start: number, pages: number) => void): void {
    for (let page = first; page < first + pages;) {
      const region = this.sidecar.regions[this.regions.regionOfPage(page)];
      const count = Math.min(first + pages, region.first_page + region.pages) - page;
      if (!isFileRegion(region)) {
        const shift = region.first_page - this.addresses.startOf(region);
        const isOwn = (vma: Vma) => vma.tracePage >= 0 && vma.tracePage - vma.start === shift;
        eachOwnPart(task.space, page - shift, count, isOwn, act);
      }
      page += count;
    }
  }
}

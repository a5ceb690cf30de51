import { type FileObject, VM_EXEC, VM_READ, VM_WRITE } from '../mm/index.js';
import { mistake } from './mistake.js';
import { bytesOf } from './words.js';

/** Private anonymous or shared memory, a file, SysV shared memory: the letters of `show`. */
export type SegmentKind = 'a' | 'f' | 's';

/** A piece of memory that has a name: defined first, mapped later; it stays defined when it is unmapped. */
export interface Segment {
  readonly name: string;
  readonly kind: SegmentKind;
  /** What the listing shows: the name, or the path of a file. */
  readonly shown: string;
  /** Bytes, whole pages; and where in its file it begins. */
  length: number;
  offset: number;
  /** VM_READ, VM_WRITE, VM_EXEC. */
  protection: number;
  /** A file's `default` becomes private when it is mapped. */
  share: 'private' | 'shared' | 'default';
  /** File or shared memory behind it; that of a shared anonymous segment comes with the mapping. */
  object: FileObject | null;
  /** Page number of its first page, or null while it is not mapped. */
  vpn: number | null;
  /** Part of the program itself: cannot be unmapped, removed or written. */
  readonly isPreloaded: boolean;
}

const MAX_SEGMENTS = 63;

/** The segments of one process: slots are used again, names are unique. */
export class SegmentTable {
  private readonly slots: (Segment | undefined)[] = [];

  constructor(private readonly preloaded: readonly Segment[]) {}

  find(name: string): Segment | undefined {
    return this.all(true).find((segment) => segment.name === name);
  }

  /** @throws MmError if there is none of that name */
  named(name: string): Segment {
    const segment = this.find(name);
    if (segment === undefined) throw mistake(`no such segment:  ${name}`);
    return segment;
  }

  /** The page number where a segment begins that has to be mapped. */
  mapped(name: string): { segment: Segment; vpn: number } {
    const segment = this.named(name);
    if (segment.vpn === null) throw mistake(`segment ${name} not mapped`);
    return { segment, vpn: segment.vpn };
  }

  /** Refuses a name that is taken, before anything is made for it. */
  checkNew(name: string): void {
    if (this.find(name) !== undefined) throw mistake(`segment ${name} already exists`);
    if (this.all(false).length >= MAX_SEGMENTS) throw mistake(`too many segments:  ${MAX_SEGMENTS} are the limit`);
  }

  add(segment: Segment): void {
    this.checkNew(segment.name);
    const free = this.slots.indexOf(undefined);
    this.slots[free < 0 ? this.slots.length : free] = segment;
  }

  remove(segment: Segment): void {
    this.slots[this.slots.indexOf(segment)] = undefined;
  }

  all(withPreloaded: boolean): Segment[] {
    const own = this.slots.filter((segment) => segment !== undefined);
    return withPreloaded ? [...this.preloaded, ...own] : own;
  }

  /** The table of a child: its own from now on. */
  copy(): SegmentTable {
    const copy = new SegmentTable(this.preloaded.map((segment) => ({ ...segment })));
    this.slots.forEach((segment, i) => (copy.slots[i] = segment === undefined ? undefined : { ...segment }));
    return copy;
  }
}

export const SEGMENT_HEADER = '  _____address______ ____length____ ____offset____ prot  share  name';

/** A line of `show`. */
export function segmentLine({ kind, shown, length, offset, protection, share, vpn }: Segment): string {
  const address = vpn === null ? '*** not-mapped ***' : `0x${hex(bytesOf(vpn), 16)}`;
  const read = (protection & VM_READ) === 0 ? '-' : 'r';
  const write = (protection & VM_WRITE) === 0 ? '-' : 'w';
  const execute = vpn === null ? ' ' : (protection & VM_EXEC) === 0 ? '-' : 'x';
  const range = `0x${hex(length, 12)} 0x${hex(offset, 12)}`;
  return `${kind} ${address} ${range}  ${read}${write}${execute} ${share.padEnd(7)} ${shown}`;
}

export const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

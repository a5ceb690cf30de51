import { bugOn } from '../errors.js';
import type { Vma } from './vma.js';

/** Areas in one chunk, at most: what an insertion has to move. */
const CHUNK = 256;

/**
 * The areas of an address space, ascending by address, no two of which overlap: chunks of some hundred each, so that a process
 * with a million areas finds, adds and removes one about as quickly as one with ten. Kernel: mm_mt, the maple tree.
 */
export class VmaList implements Iterable<Vma> {
  /** Never an empty one. */
  private readonly chunks: Vma[][] = [];
  /** Page number at which each chunk begins. */
  private readonly starts: number[] = [];
  private count = 0;

  get length(): number {
    return this.count;
  }

  get last(): Vma | undefined {
    return this.chunks.at(-1)?.at(-1);
  }

  /** Sees areas that are added behind the place it has come to. */
  *[Symbol.iterator](): Generator<Vma, undefined> {
    for (const chunk of this.chunks) yield* chunk;
    return undefined;
  }

  /** The first area that ends after page number `vpn`: it has the page, or is the next. Kernel: find_vma(). */
  endingAfter(vpn: number): Vma | undefined {
    if (this.count === 0) return undefined;
    const c = this.chunkOf(vpn);
    const chunk = this.chunks[c];
    const at = placeIn(chunk, vpn);
    return at < chunk.length ? chunk[at] : this.chunks.at(c + 1)?.[0];
  }

  after(vma: Vma): Vma | undefined {
    return this.endingAfter(vma.end);
  }

  before(vma: Vma): Vma | undefined {
    if (this.count === 0) return undefined;
    const c = this.chunkOf(vma.start);
    const at = placeIn(this.chunks[c], vma.start);
    if (at > 0) return this.chunks[c][at - 1];
    return c > 0 ? this.chunks[c - 1].at(-1) : undefined;
  }

  /** Those that have pages of [start, end), as they are now. */
  within(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    if (this.count === 0) return found;
    for (let c = this.chunkOf(start); c < this.chunks.length && this.starts[c] < end; c++) {
      const chunk = this.chunks[c];
      for (let i = placeIn(chunk, start); i < chunk.length && chunk[i].start < end; i++) found.push(chunk[i]);
    }
    return found;
  }

  add(vma: Vma): void {
    const next = this.endingAfter(vma.start);
    bugOn(next !== undefined && next.start < vma.end, 'areas overlap', vma.start);
    if (this.count++ === 0) {
      this.chunks.push([vma]);
      this.starts.push(vma.start);
      return;
    }
    const c = this.chunkOf(vma.start);
    const chunk = this.chunks[c];
    chunk.splice(placeIn(chunk, vma.start), 0, vma);
    this.starts[c] = chunk[0].start;
    if (chunk.length <= CHUNK) return;
    const rest = chunk.splice(CHUNK / 2);
    this.chunks.splice(c + 1, 0, rest);
    this.starts.splice(c + 1, 0, rest[0].start);
  }

  remove(vma: Vma): void {
    bugOn(this.count === 0, 'removing an area that is not there', vma.id);
    const c = this.chunkOf(vma.start);
    const chunk = this.chunks[c];
    const at = placeIn(chunk, vma.start);
    bugOn(chunk[at] !== vma, 'removing an area that is not there', vma.id);
    chunk.splice(at, 1);
    this.count--;
    if (chunk.length > 0) {
      this.starts[c] = chunk[0].start;
      return;
    }
    this.chunks.splice(c, 1);
    this.starts.splice(c, 1);
  }

  /** The last chunk that begins at `vpn` or before, else the first. */
  private chunkOf(vpn: number): number {
    let low = 1;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= vpn) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The first place of a chunk whose area ends after `vpn`, or its length. */
function placeIn(chunk: readonly Vma[], vpn: number): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chunk[middle].end <= vpn) low = middle + 1;
    else high = middle;
  }
  return low;
}

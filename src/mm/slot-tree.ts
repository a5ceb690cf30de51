const CHUNK_BITS = 9;
const CHUNK = 1 << CHUNK_BITS;

/** A sparse array of 32-bit integers, 0 where nothing was stored: chunks of 512, made when first written. */
export class SlotTree {
  private readonly chunks: (Int32Array | undefined)[] = [];

  get(index: number): number {
    const chunk = this.chunks[index >> CHUNK_BITS];
    return chunk === undefined ? 0 : chunk[index & (CHUNK - 1)];
  }

  set(index: number, value: number): void {
    const at = index >> CHUNK_BITS;
    const chunk = (this.chunks[at] ??= new Int32Array(CHUNK));
    chunk[index & (CHUNK - 1)] = value;
  }

  /** Calls `visit` for every value that is not 0, in ascending order of index. */
  forEach(visit: (index: number, value: number) => void): void {
    this.chunks.forEach((chunk, at) => {
      if (chunk === undefined) return;
      for (let i = 0; i < CHUNK; i++) if (chunk[i] !== 0) visit((at << CHUNK_BITS) + i, chunk[i]);
    });
  }
}

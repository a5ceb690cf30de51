/** A column of a batch, as readers hand it over. */
export type Column = Uint8Array | Uint16Array | Uint32Array;

/** How a column of one block is kept: each value's distance from `base`, in 0, 1, 2 or 4 bytes. */
export interface Packing {
  readonly base: number;
  /** Bytes per value. 0: all are `base`. */
  readonly width: number;
}

const WIDTHS: readonly { readonly width: number; readonly limit: number }[] = [
  { width: 0, limit: 1 },
  { width: 1, limit: 2 ** 8 },
  { width: 2, limit: 2 ** 16 },
  { width: 4, limit: 2 ** 32 },
];
const widthOf = (greatest: number): number => WIDTHS.find(({ limit }) => greatest < limit)?.width ?? 4;

/** The narrowest packing of the first `length` values. Base 0 where that is as narrow: it is the quicker to unpack. */
export function packingOf(column: Column, length: number): Packing {
  let least = 2 ** 32;
  let greatest = 0;
  for (let i = 0; i < length; i++) {
    const value = column[i];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const width = widthOf(greatest - least);
  return { base: width > 0 && width === widthOf(greatest) ? 0 : least, width };
}

/** Writes the packed values to `offset` of `memory`, which is a multiple of the width. */
export function pack(
  column: Column,
  length: number,
  { base, width }: Packing,
  memory: ArrayBufferLike,
  offset: number,
) {
  if (width === 0) return;
  const packed = viewOf(width, memory, offset, length);
  for (let i = 0; i < length; i++) packed[i] = column[i] - base;
}

/**
 * The values again: in `out`, or where they lie if they are kept as they are.
 *
 * @param out a column of the wanted type with room for them
 */
export function unpack<Kind extends Column>(
  { base, width }: Packing,
  memory: ArrayBufferLike,
  offset: number,
  length: number,
  out: Kind,
): Kind {
  if (width === 0) {
    out.fill(base, 0, length);
    return out;
  }
  const packed = viewOf(width, memory, offset, length);
  if (width === out.BYTES_PER_ELEMENT && base === 0) return packed as Kind;
  if (base === 0) out.set(packed);
  else for (let i = 0; i < length; i++) out[i] = packed[i] + base;
  return out;
}

function viewOf(width: number, memory: ArrayBufferLike, offset: number, length: number): Column {
  if (width === 1) return new Uint8Array(memory, offset, length);
  if (width === 2) return new Uint16Array(memory, offset, length);
  return new Uint32Array(memory, offset, length);
}

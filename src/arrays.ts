/**
 * Typed arrays of the model's state: these, and not `new Int32Array(n)`, wherever the hot path reads or writes.
 *
 * V8 keeps a typed array of up to 64 bytes inside its moving heap unless it is told which memory to take, and code that holds
 * on to the array loads its place anew at each access. Hence a buffer for each, and no less than a cache line, so that
 * small tables do not lie two to a line where one is written and the other only read. All begin with zeros.
 */
export const int32s = (length: number): Int32Array => new Int32Array(bufferOf(length * 4), 0, length);
export const uint32s = (length: number): Uint32Array => new Uint32Array(bufferOf(length * 4), 0, length);
export const uint16s = (length: number): Uint16Array => new Uint16Array(bufferOf(length * 2), 0, length);
export const uint8s = (length: number): Uint8Array => new Uint8Array(bufferOf(length), 0, length);
export const float64s = (length: number): Float64Array => new Float64Array(bufferOf(length * 8), 0, length);

/** A cache line, and where in one the system's allocator puts large memory: behind 16 bytes of its own (glibc). */
const LINE = 64;
const TO_NEXT_LINE = LINE - 16;

/**
 * Words for records of 32 bytes, two to a cache line, so that none lies across two: half of them would, and cost a second
 * wait for memory. JavaScript cannot ask for an alignment, so this aims for where the allocator is known to put things;
 * anywhere else it is as good as any place.
 */
export function recordWords(words: number): Int32Array {
  return new Int32Array(bufferOf(words * 4 + LINE), TO_NEXT_LINE, words);
}

function bufferOf(bytes: number): ArrayBuffer {
  return new ArrayBuffer(Math.max(LINE, bytes));
}

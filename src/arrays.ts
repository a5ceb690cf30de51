/** A cache line, and where in one the system's allocator puts large memory: behind 16 bytes of its own (glibc). */
const LINE = 64;
const TO_NEXT_LINE = LINE - 16;

/**
 * Words for records of 32 bytes, two to a cache line, so that none lies across two: half of them would, and cost a second
 * wait for memory. JavaScript cannot ask for an alignment, so this aims for where the allocator is known to put things;
 * anywhere else it is as good as any place.
 */
export function recordWords(words: number): Int32Array {
  const buffer = new ArrayBuffer(Math.max(LINE, words * 4) + LINE);
  return new Int32Array(buffer, TO_NEXT_LINE, words);
}

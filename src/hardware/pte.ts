/**
 * A page-table entry: a 32-bit word (frame number, or swap slot) and a byte of bits beside it.
 *
 *   bit  7    6 5 4        3     2     1     0
 *        hint kind         young dirty write present
 *
 * kind says what an entry that is not present holds; 0 = nothing (the entry is empty).
 */
export const PTE_NONE = 0;
export const PTE_PRESENT = 1 << 0;
export const PTE_WRITE = 1 << 1;
export const PTE_DIRTY = 1 << 2;
export const PTE_YOUNG = 1 << 3;
/** Not present: the word is a swap slot. */
export const PTE_SWAP = 1 << 4;
/** Not present: the word is the frame that is being moved; write, dirty and young say what the entry was (DM-21). */
export const PTE_MIGRATION = 1 << 5;

/**
 * Not present: the word is a frame of device memory, which no CPU can reach; write says which of the two variants it is.
 * Kernel: make_readable_device_private_entry() and its writable sibling.
 */
export const PTE_DEVICE = 1 << 6;

/** Beside present: the next use is to be noticed, so the processor finds nothing. Kernel: pte_protnone() */
export const PTE_HINT = 1 << 7;

/** Why `translate()` found no frame. Frames are positive, so these are not. */
export const MISS_NONE = -1;
export const MISS_SWAP = -2;
export const MISS_READ_ONLY = -3;

/** How a fault ended (FP-2). Numbers, never thrown. */
export const MINOR = 0;
/** I/O was needed. */
export const MAJOR = 1;
/** Something moved underneath: the access is to be tried again. */
export const RETRY = 2;
export const SIGSEGV = 3;
export const SIGBUS = 4;
export const OOM = 5;
export type Outcome = number;

/** The access cannot be completed. */
export const isFatal = (outcome: Outcome): boolean => outcome >= SIGSEGV;

import type { Mismatch } from './compare.js';
import type { Step } from './recording.js';

/** What a step acted on, as far as the place of its pages depends on it. */
export interface Governed {
  /** What the region maps. */
  readonly kind: 'private' | 'copy' | 'shmem' | 'file' | null;
  /** Number of the mode in force; null: none, local. */
  readonly mode: number | null;
}

const KIND_RULE = { private: 'K-P1', copy: 'K-P1', shmem: 'K-P2', file: 'K-P3' } as const;
/** Where each mode lets a page start, by its number. */
const MODE_RULE = ['K-N1', 'K-N2', 'K-N3', 'K-I1', 'K-N1', 'K-N4', 'K-I4'] as const;

const ADVICE_RULE: Readonly<Record<string, string>> = {
  ...{ dontneed: 'K-A6', remove: 'K-A6', free: 'K-A6', pageout: 'K-S1', cold: 'K-S1', willneed: 'K-S4' },
  ...{ populate_read: 'K-A5, K-A8', populate_write: 'K-A5, K-A8', wipeonfork: 'K-A4', dontfork: 'K-A4' },
};

/** Rules of the calls: what is answered, and where pages are afterwards. */
const CALL_RULES: Readonly<Record<string, readonly [answer: string, pages: string]>> = {
  fork: ['K-P5', 'K-A4'],
  exit: ['K-A3', 'K-A3'],
  mmap: ['K-A5', 'K-A5'],
  munmap: ['K-A8', 'K-A8'],
  mprotect: ['K-A8', 'K-A7'],
  mlock: ['K-A8', 'K-A5'],
  munlock: ['K-A8', 'K-A5'],
  mremap: ['K-P5', 'K-I2'],
  file_write: ['K-P2, K-P3', 'K-P2, K-P3'],
  file_read: ['K-P2, K-P3', 'K-P2, K-P3'],
  swapon: ['K-S1', 'K-S1'],
  swapoff: ['K-S5', 'K-S5'],
  numa_maps: ['K-B7, K-H3', 'K-H3'],
  mbind: ['K-B1 to K-B4', 'K-B5, K-B6'],
  set_mempolicy: ['K-Q1', 'K-Q1'],
  get_mempolicy: ['K-Q2', 'K-S6'],
  set_mempolicy_home_node: ['K-Q3', 'K-N5'],
  move_pages: ['K-M1 to K-M4', 'K-M3'],
  migrate_pages: ['K-G1', 'K-G2, K-G3'],
  cpuset_create: ['K-C4', 'K-C3'],
  cpuset_set: ['K-C4', 'K-C3'],
  cpuset_attach: ['K-C4', 'K-C3, K-C5'],
  sched_setaffinity: ['K-C5', 'K-P5'],
};

/** The rule of the recordings' rule list that decides what differs, as far as it can be told from the call. */
export function ruleOf(step: Step, { what }: Mismatch, { kind, mode }: Governed): string {
  if (what === 'minflt' || what === 'majflt' || what === 'pgfault' || what === 'pgmajfault') return 'K-A9';
  if (what.startsWith('pswp')) return 'K-S1, K-S2';
  if (step.op === 'madvise') return ADVICE_RULE[String(step.advice)] ?? 'K-A8';
  const answers = !/^pages of |^region |numa_|_node|interleave_hit/.test(what);
  if (step.op === 'touch') {
    if (answers) return 'K-A2';
    return [kind === null ? 'K-P1' : KIND_RULE[kind], MODE_RULE[mode ?? 0] ?? 'K-N1', 'K-F1'].join(', ');
  }
  const rules = CALL_RULES[step.op];
  if (rules === undefined) return 'recordings, section 4';
  return what === 'status' ? 'K-M3' : rules[answers ? 0 : 1];
}

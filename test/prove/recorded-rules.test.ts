import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRecording, replayRecordings } from '../../src/prove/index.js';

/**
 * The rules of the recordings (section 6 of their description), and handwritten cases recorded on real kernels that show each
 * of them: every one replays step by step on both kernels it was recorded on (6.1 alone where cgroup 1 is used).
 */
const RULES: readonly (readonly [rule: string, cases: string])[] = [
  ['K-P1', 'mbind-dontneed-keeps-policy interleave-read-then-write memfd-private-cow-placement'],
  [
    'K-P2',
    'shared-anon-policy-lives-in-object memfd-two-views-same-policy memfd-policy-survives-munmap tmpfs-mount-policy-bind',
  ],
  ['K-P3', 'file-shared-follows-task-policy file-write-syscall'],
  ['K-P4', 'mbind-move-whole-range-two-areas shmem-mbind-not-mapped-here'],
  ['K-P5', 'set-mempolicy-inherited-by-fork fork-child-regions-independent touch-cpu-moves-between-pages'],
  ['K-N1', 'touch-local-cpu1 touch-local-cpu3 mbind-local cxl-local-never-picks-memory-only-node'],
  ['K-N2', 'mbind-preferred-first-node-of-mask set-mempolicy-preferred'],
  ['K-N3', 'mbind-bind-two-nodes-cpu2 mbind-bind-two-nodes-asym-cpu3 octo-bind-nearest'],
  ['K-N4', 'mbind-preferred-many-cpu3'],
  ['K-N5', 'home-node-bind home-node-preferred-many fallback-home-node'],
  ['K-N6', 'fallback-quad-node1-full mbind-interleave-023-at17'],
  ['K-F1', 'fallback-quad-node2-full fallback-bind-single-oom fallback-cow'],
  ['K-F2', 'cxlflat-ties-cpu2 mbind-flat-distance-ties memless-local octo-fallback-from-node3'],
  ['K-I1', 'interleave-by-address-not-by-order interleave-task-policy-is-by-address-too'],
  [
    'K-I2',
    'interleave-after-mremap-untouched interleave-after-mremap-touched interleave-after-mremap-other-offset-touched',
  ],
  ['K-I3', 'shared-anon-interleave-inode3 memfd-interleave-index-and-offset swap-shmem-interleave'],
  ['K-I4', 'cxl-weights weighted-interleave-change-weights'],
  ['K-I5', 'task-interleave-page-cache-round-robin set-mempolicy-interleave-next-node-query'],
  ['K-I6', 'interleave-high-address-123-slot5 interleave-high-address-012-slot1'],
  ['K-A1', 'interleave-read-then-write swap-zero-page-not-swapped'],
  ['K-A2', 'shmem-beyond-end file-beyond-end mprotect-readonly'],
  ['K-A3', 'cow-child-writes cow-reuse-after-exit cow-reuse-after-other-copied cow-three-tasks'],
  ['K-A4', 'wipeonfork-dontfork fork-child-regions-independent'],
  ['K-A5', 'map-populate-under-task-policy map-locked file-populate'],
  ['K-A6', 'madvise-dontneed-replaces shmem-dontneed-keeps-cache swap-dontneed-frees'],
  ['K-A7', 'mbind-move-protnone-area move-pages-readonly-and-none'],
  ['K-A8', 'mmap-errors munmap-middle-and-remap'],
  ['K-A9', 'counters-read-write-faults file-readahead-places-by-first-reader file-fault-around'],
  ['K-S1', 'swap-cold-and-free swap-pageout-file-clean swap-out-in-out-again'],
  ['K-S2', 'swap-in-follows-new-vma-policy swap-in-follows-task-policy swap-in-interleave'],
  ['K-S3', 'swap-readahead-shared-entry'],
  ['K-S5', 'swap-swapoff-places-pages swap-swapoff-shmem'],
  ['K-S6', 'swap-mbind-move-skips-swapped swap-strict-ignores-swapped get-mempolicy-node-addr-faults-in'],
  ['K-B1', 'mbind-range-arguments'],
  ['K-B2', 'mbind-maxnode mbind-maxnode-off-by-one mbind-high-bits'],
  ['K-B3', 'mbind-mode-flag-combinations mbind-node-mask-required-or-forbidden mbind-relative-folds'],
  ['K-B4', 'mbind-strict-misplaced'],
  ['K-B5', 'mbind-move-bind mbind-move-shared-page-skipped mbind-move-interleave-mixed-start'],
  ['K-B6', 'mbind-move-picks-nearest-to-caller mbind-move-default-uses-task-policy'],
  ['K-B7', 'interleave-subrange-keeps-address-base'],
  ['K-Q1', 'set-mempolicy-change-midway set-mempolicy-maxnode'],
  ['K-Q2', 'get-mempolicy-address-without-flag get-mempolicy-unaligned-address get-mempolicy-each-vma-mode'],
  ['K-Q3', 'home-node-errors home-node-task-policy-untouched'],
  ['K-M1', 'move-pages-flag-errors move-pages-pid'],
  ['K-M2', 'cpuset-v2-move-pages-not-allowed'],
  ['K-M3', 'move-pages-duplicate-entries move-pages-shared-mapcount move-pages-shared-anon-untouched'],
  ['K-M4', 'fallback-move-pages-to-full'],
  ['K-M5', 'move-pages-ignores-policy'],
  ['K-G1', 'migrate-pages-errors'],
  ['K-G2', 'migrate-pages-shift migrate-pages-swap-is-identity migrate-pages-three-to-three-overlap-two'],
  ['K-G3', 'migrate-pages-unprivileged migrate-pages-shared-with-capability'],
  ['K-C1', 'cpuset-v2-confines-local cpuset-v1-bind-outside'],
  ['K-C2', 'cpuset-v2-rebind-static cpuset-v2-rebind-relative cpuset-v1-shmem-policy-not-rebound'],
  ['K-C3', 'cpuset-v2-attach-migrates-or-not cpuset-v1-attach-migrates-or-not cpuset-v1-migrate-shared-file'],
  ['K-C4', 'cpuset-v1-errors'],
  ['K-C5', 'cpuset-v2-cpus-limit-affinity'],
];

const KERNELS = ['6.1', '6.12'];
/** K-S4 is not among the handwritten cases: test/engine/syscalls/advice.test.ts has it. */
const COUNT = 56;

describe('each rule of the recordings', () => {
  const matched = new Map<string, string[]>();
  beforeAll(async () => {
    for (const kernel of KERNELS) {
      const file = `linux-${kernel}-handwritten.json`;
      const text = readFileSync(new URL(`../fixtures/recordings/${file}`, import.meta.url), 'utf8');
      const recording = parseRecording(text, file);
      const wanted = new Set(RULES.flatMap(([, cases]) => cases.split(' ')));
      const cases = recording.cases.filter(({ name }) => wanted.has(name));
      const { mismatches } = await replayRecordings([{ file, recording: { ...recording, cases } }], () => undefined);
      const failed = new Set(mismatches.map((mismatch) => mismatch.case));
      for (const { name } of cases) {
        if (!failed.has(name)) matched.set(name, [...(matched.get(name) ?? []), kernel]);
      }
    }
  }, 120_000);

  it('is in the table once', () => {
    expect(RULES).toHaveLength(COUNT);
    expect(new Set(RULES.map(([rule]) => rule)).size).toBe(COUNT);
  });

  it.each(RULES)('%s: %s', (_, cases) => {
    for (const name of cases.split(' ')) {
      expect([name, matched.get(name)]).toEqual([name, name.startsWith('cpuset-v1') ? ['6.1'] : KERNELS]);
    }
  });
});

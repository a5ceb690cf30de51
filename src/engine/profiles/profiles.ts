import { MmError, nearestName } from '../../errors.js';
import { VARIANTS, type RuleNames, type Rules } from './rules.js';

export type Hook = 'swap' | 'file' | 'shmem';

/** A named set of rule variants: one kernel, or one idea of it. */
export interface Profile {
  readonly name: string;
  readonly about: string;
  readonly rules: RuleNames;
  /** Migrate-on-fault hooks that this kernel has (FP-84); without any, none can be switched on. */
  readonly hooks: readonly Hook[];
  /** Transparent huge pages, which came with 2.6.38. */
  readonly hasHugePages: boolean;
}

const linux612: RuleNames = {
  fallbackLoad: 'by-one',
  bindOrder: 'nearest-first',
  watermarks: '6.12',
  lru: '6.12',
  reclaim: '6.12',
  policyLookup: '6.x',
  interleaveIndex: '6.12',
  rotor: '6.x',
  rebind: '6.x',
  cpusetNotice: 'at-once',
  cpusetMover: 'may-use-destination',
  misplacedGate: 'every-policy',
  misplacedTarget: 'this-node-only',
  bindVetting: 'as-reviewed',
  operationTest: 'first',
  swapHook: 'before-ptl',
  swapIn: 'writable',
  swapReadAhead: '6.12',
  faultReference: 'no-mark',
  copyOrder: 'copy-first',
  faultRetry: '6.12',
  moveIndex: 'with-inode',
  modes: '6.12',
  lazyUnmap: 'refused',
  privileges: 'nice',
  numaMaps: '6.x',
  movePages: '6.x',
  pageStatus: '6.12',
  populateHoles: 'stops',
  advice: '6.12',
  hotRemove: '6.x',
  migrateVma: '6.x',
  batchLock: 'tries',
  entryWait: 'without-reference',
  flushBatch: '512-pages',
  mover: 'batches',
  moveCalls: '6.x',
  isolation: 'under-ptl',
  pageMapping: 'page_mapping',
  hugePages: '6.12',
  shmemOperation: 'simple',
  numaBalancing: '6.12',
};

const linux61: RuleNames = {
  ...linux612,
  watermarks: '6.1',
  lru: '6.1',
  reclaim: '6.1',
  interleaveIndex: '6.1',
  swapIn: 'read-only',
  swapReadAhead: '6.1',
  faultRetry: '6.1',
  moveIndex: 'without-inode',
  modes: '6.1',
  pageStatus: '6.1',
  populateHoles: 'goes-on',
  advice: '6.1',
  flushBatch: 'each-page',
  hugePages: '6.1',
  numaBalancing: '6.1',
};

const linux2616: RuleNames = {
  fallbackLoad: 'by-nodes-left',
  bindOrder: 'by-number',
  watermarks: '2.6.16',
  lru: '2.6.16',
  reclaim: '2.6.16',
  policyLookup: '2.6.16',
  interleaveIndex: '2.6.16',
  rotor: '2.6.16',
  rebind: '2.6.16',
  cpusetNotice: 'after-lookup',
  cpusetMover: 'keeps-to-own-nodes',
  misplacedGate: 'every-policy',
  misplacedTarget: 'with-fallback',
  bindVetting: 'by-task',
  operationTest: 'late-leaking',
  swapHook: 'under-ptl',
  swapIn: '2.6.16',
  swapReadAhead: '2.6.16',
  faultReference: 'marks',
  copyOrder: 'page-first',
  faultRetry: '6.12',
  moveIndex: '2.6.16',
  modes: '2.6.16',
  lazyUnmap: '2006',
  privileges: 'nice',
  numaMaps: '2.6.16',
  movePages: '6.x',
  pageStatus: '6.12',
  populateHoles: 'stops',
  advice: '6.12',
  hotRemove: '2.6.24',
  migrateVma: '6.x',
  batchLock: 'tries',
  entryWait: 'with-reference',
  flushBatch: 'each-page',
  mover: 'passes',
  moveCalls: '2.6.16',
  isolation: 'under-ptl',
  pageMapping: 'page_mapping',
  hugePages: '6.12',
  shmemOperation: 'none',
  numaBalancing: '6.12',
};

export const PROFILES: readonly Profile[] = [
  {
    name: 'mof',
    about: 'Linux 6.12 plus migrate-on-fault as its later reviewers corrected it',
    rules: { ...linux612, lazyUnmap: '2012' },
    hooks: ['swap', 'file', 'shmem'],
    hasHugePages: true,
  },
  {
    name: 'mof-2006',
    about: 'Linux 2.6.16 with the posted migrate-on-fault prototype V0.1, defects included',
    rules: linux2616,
    hooks: ['swap'],
    hasHugePages: false,
  },
  {
    name: 'direct-2005',
    about: 'Direct Migration V1 of November 2005 on the rules of 2.6.16',
    rules: { ...linux2616, lazyUnmap: 'refused', mover: 'v1', moveCalls: '2005' },
    hooks: [],
    hasHugePages: false,
  },
  {
    name: 'swap-2006',
    about: 'swap migration of January 2006 on the rules of 2.6.16: every mover only evicts',
    rules: { ...linux2616, lazyUnmap: 'refused', mover: 'swap-only', moveCalls: 'swap-2006' },
    hooks: [],
    hasHugePages: false,
  },
  {
    name: 'linux-5.15',
    about: 'Linux 6.1 with device memory as in 5.15, before the change of October 2021',
    rules: { ...linux61, migrateVma: '5.15', entryWait: 'with-reference' },
    hooks: [],
    hasHugePages: true,
  },
  {
    name: 'linux-6.1',
    about: 'mainline Linux 6.1: no migrate-on-fault for explicit policies',
    rules: linux61,
    hooks: [],
    hasHugePages: true,
  },
  {
    name: 'linux-6.12',
    about: 'mainline Linux 6.12: no migrate-on-fault for explicit policies',
    rules: linux612,
    hooks: [],
    hasHugePages: true,
  },
];

/** The switches of a profile's hooks: all it has on, or all off. */
export function hookSwitches(hooks: readonly Hook[], isOn: boolean) {
  const has = (hook: Hook) => isOn && hooks.includes(hook);
  return { hookSwap: has('swap'), hookFile: has('file'), hookShmem: has('shmem') };
}

export function profileNamed(name: string): Profile {
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile !== undefined) return profile;
  const near = nearestName(
    name,
    PROFILES.map((candidate) => candidate.name),
  );
  throw new MmError(
    'BAD_OPTION',
    `no profile "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`} Known: ${PROFILES.map((p) => p.name).join(', ')}`,
  );
}

/** The variant objects that a set of names stands for. */
export function rulesOf(names: RuleNames): Rules {
  const entries = Object.entries(names).map(([rule, variant]) => [rule, variantNamed(rule as keyof Rules, variant)]);
  return Object.fromEntries(entries) as Rules;
}

function variantNamed(rule: keyof Rules, variant: string): unknown {
  const variants: Readonly<Record<string, unknown>> = VARIANTS[rule];
  if (variant in variants) return variants[variant];
  throw new MmError(
    'BAD_OPTION',
    `rule ${rule} has no variant "${variant}". Known: ${Object.keys(variants).join(', ')}`,
  );
}

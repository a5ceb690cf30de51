import { policyRequest, profileNamed, rulesOf, type Rebind } from '../../engine/index.js';
import { MmError } from '../../errors.js';
import { Topology } from '../../hardware/index.js';
import type { MempolicyRequest } from '../../mm/index.js';
import type { PolicyDefinition } from '../../policy/index.js';
import type { PolicySpec } from '../../run/index.js';
import { BENCH_NODES, benchMachine, makeBed, type Bed } from './bed.js';
import type { Case } from './case.js';
import {
  FAULT_KINDS,
  faultsOfKind,
  framesPerNodeFor,
  hasHooks,
  spuriousFaults,
  type FaultKindName,
} from './fault-kinds.js';
import { swapCacheFaults } from './swap-cache.js';

/** All kinds of fault that can be timed, in words. */
export const BENCH_KINDS = {
  'swap-cache-well-placed': 'a page that is cached where its policy wants it is mapped',
  'swap-cache-misplaced': 'a page that is cached elsewhere is moved and mapped',
  ...(Object.fromEntries(Object.entries(FAULT_KINDS).map(([name, { about }]) => [name, about])) as Record<
    FaultKindName,
    string
  >),
  spurious: 'the page is mapped already',
} as const;
export type BenchKind = keyof typeof BENCH_KINDS;

export interface KindOptions {
  readonly pages: number;
  /** Null: default. */
  readonly policy: MempolicyRequest | null;
  readonly order: 'random' | 'page';
  readonly threads: number;
  readonly rebind?: Rebind;
}

/** @throws MmError BAD_POLICY if there are no such faults under this policy */
export async function prepareKind(kind: BenchKind, options: KindOptions): Promise<{ bed: Bed; faults: Case }> {
  const { pages, policy } = options;
  if (kind === 'file-misplaced' && policy !== null && policy.definition.name !== 'local')
    throw new MmError('BAD_POLICY', `${kind} is there under default and local only: their pages follow a thread`);
  const isOfMemory = kind in FAULT_KINDS;
  const framesPerNode = isOfMemory ? framesPerNodeFor(kind as FaultKindName, pages) : undefined;
  const hooks = !isOfMemory || hasHooks(kind as FaultKindName);
  const bed = await makeBed({ ...options, framesPerNode, hooks });
  if (isOfMemory) return { bed, faults: faultsOfKind(bed, kind as FaultKindName) };
  if (kind === 'spurious') return { bed, faults: spuriousFaults(bed) };
  return { bed, faults: swapCacheFaults(bed, kind === 'swap-cache-misplaced') };
}

/**
 * The policy of a RUN word on the machine of the benchmark.
 *
 * @returns null for default
 * @throws MmError for nodes that it does not have, and options that the policy does not have
 */
export function benchPolicy(spec: PolicySpec, definition: PolicyDefinition): MempolicyRequest | null {
  if (definition.name === 'default') return null;
  const topology = new Topology(benchMachine(BENCH_NODES, 512));
  const kernel = { rule: rulesOf(profileNamed('mof').rules).modes, profile: 'mof' };
  return policyRequest(spec, definition, topology, topology.nodesWithMemory(), kernel);
}

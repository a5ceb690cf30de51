import { describe, expect, it } from 'vitest';
import { loadPolicy, profileNamed, rulesOf } from '../../../src/engine/index.js';
import { policyRequest } from '../../../src/engine/replay/policy-request.js';
import { Topology } from '../../../src/hardware/index.js';
import { parseRun } from '../../../src/run/index.js';
import { errorOf } from '../../support/error-of.js';
import { tinyDescription } from '../../support/tiny-machine.js';

// A policy of a RUN word, under the profile of the run: modes and flags are those of its kernel.

const topology = new Topology(tinyDescription());

async function requested(word: string, profile = 'mof') {
  const { policy } = parseRun(word);
  const definition = await loadPolicy(policy.name, '.');
  const kernel = { rule: rulesOf(profileNamed(profile).rules).modes, profile };
  return () => policyRequest(policy, definition, topology, topology.nodesWithMemory(), kernel);
}

describe('modes and flags of a RUN word', () => {
  it.each([
    ['local', 'mof', { nodes: [], flag: null }],
    ['preferred-many=0-1', 'linux-6.1', { nodes: [0, 1], flag: null }],
    ['weighted-interleave=all:weights=auto', 'linux-6.12', { nodes: [0, 1, 2, 3], options: { weights: 'auto' } }],
    ['interleave=0-1:static', 'mof', { nodes: [0, 1], flag: 'static' }],
    ['bind=0-1:numa_balancing', 'linux-6.1', { flag: null, numaBalancing: true }],
    ['preferred-many=0-1:relative:numa_balancing', 'mof', { flag: 'relative', numaBalancing: true }],
    ['interleave=0-1', 'mof-2006', { nodes: [0, 1] }],
    ['stay', 'mof-2006', { nodes: [] }],
  ])('%s under %s', async (word, profile, expected) => {
    expect((await requested(word, profile))()).toMatchObject(expected);
  });

  it.each([
    ['local', 'mof-2006', 'policy "local" (MPOL_LOCAL) does not exist under profile mof-2006'],
    [
      'preferred-many=0',
      'mof-2006',
      'policy "preferred-many" (MPOL_PREFERRED_MANY) does not exist under profile mof-2006',
    ],
    [
      'weighted-interleave=0',
      'linux-6.1',
      'policy "weighted-interleave" (MPOL_WEIGHTED_INTERLEAVE) does not exist under profile linux-6.1',
    ],
    ['bind=0:static', 'mof-2006', 'policy "bind": profile mof-2006 has no flags of modes, and got ":static"'],
    [
      'interleave=0:numa_balancing',
      'mof',
      'policy "interleave" does not take ":numa_balancing" under profile mof; bind and preferred-many do',
    ],
    [
      'preferred-many=0:numa_balancing',
      'linux-6.1',
      'policy "preferred-many" does not take ":numa_balancing" under profile linux-6.1; bind does',
    ],
    [
      'stay:numa_balancing',
      'mof',
      'policy "stay" does not take ":numa_balancing" under profile mof; bind and preferred-many do',
    ],
  ])('%s under %s is one line', async (word, profile, message) => {
    expect(errorOf(await requested(word, profile))).toEqual({ code: 'BAD_RUN', message });
  });
});

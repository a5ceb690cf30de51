import { bundledPolicies } from '../../src/engine/index.js';
import { Query } from '../../src/mm/index.js';
import { makeBed, mustHold, policyForBench } from '../../src/prove/index.js';
import { Random } from '../../src/random.js';
import { asNodeId, NO_NODE, type NodeId } from '../../src/units.js';
import type { BenchCase, Prepared } from '../question.js';

const QUESTIONS = 2 ** 16;

/** What does each policy's answer take: where a page should go (`policy-place`), whether it is wrong (`policy-misplaced`)? */
export const cases: readonly BenchCase[] = (await bundledPolicies()).flatMap(({ name }): BenchCase[] =>
  (['place', 'misplaced'] as const).map((question) => ({
    name: `policy-${question}:${name}`,
    unit: 'answer',
    reference: null,
    make: () => answers(name, question),
  })),
);

async function answers(name: string, question: 'place' | 'misplaced'): Promise<Prepared> {
  const { machine, first } = await makeBed({ pages: 16_384, policy: null });
  const request = await policyForBench(name);
  const { instance } = request === null ? machine.defaultPolicy : machine.policy.newPolicy(first, request);
  const random = new Random(5);
  const index = Float64Array.from({ length: QUESTIONS }, () => 2 ** 20 + random.below(2 ** 20));
  const nodes = Int8Array.from({ length: 2 * QUESTIONS }, () => random.below(4));
  const query = new Query();
  let at = 0;
  let made = 0;
  let answered = 0;
  const ask = question === 'place' ? () => instance.place(query) : () => instance.misplaced(query);
  const isAnswer = (node: NodeId) => (node >= 0 && node < 4) || (question === 'misplaced' && node === NO_NODE);
  return {
    prepare: () => undefined,
    run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) & (QUESTIONS - 1);
        query.index = index[at];
        query.cpuNode = asNodeId(nodes[at]);
        query.pageNode = asNodeId(nodes[at + QUESTIONS]);
        if (isAnswer(ask())) answered++;
      }
      made += count;
    },
    verify() {
      mustHold(answered === made, `${String(made - answered)} answers were no nodes`);
    },
  };
}

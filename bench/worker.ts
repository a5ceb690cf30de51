import { Bench } from 'tinybench';
import { inlineDeeply } from '../src/cli/v8-flags.js';
import { caseNamed } from './cases/index.js';
import { LOOP } from './question.js';

/** ns per operation over the samples of one process. */
export interface Sampled {
  readonly ns: number;
  readonly p25: number;
  readonly p75: number;
  readonly samples: number;
}

/** node worker.js NAME PAGES MILLISECONDS: one case, one machine, one process. Prints `Sampled` as JSON. */
inlineDeeply();
const [, , name, pages, milliseconds] = process.argv;
const { make, loop = LOOP, isAsync = false } = caseNamed(name);
const prepared = await make(Number(pages));
const time = Number(milliseconds);
const bench = new Bench({ time, warmupTime: time / 2, iterations: 3, warmupIterations: 2, retainSamples: true });
bench.add(name, () => prepared.run(loop), {
  async: isAsync,
  beforeEach: () => prepared.prepare(loop),
});
await bench.run();
prepared.verify();

const { result } = bench.tasks[0];
if (!('latency' in result)) {
  throw result.state === 'errored' ? result.error : new Error(`${name} was not measured: ${result.state}`);
}
const sorted = [...(result.latency.samples ?? [])].sort((a, b) => a - b);
const at = (share: number) => (sorted[Math.floor(sorted.length * share)] * 1e6) / loop;
const sampled: Sampled = { ns: at(0.5), p25: at(0.25), p75: at(0.75), samples: sorted.length };
process.stdout.write(`${JSON.stringify(sampled)}\n`, () => process.exit(0));

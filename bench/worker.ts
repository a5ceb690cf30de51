import { parentPort, workerData } from 'node:worker_threads';
import { Bench } from 'tinybench';
import { LOOP, makeCase, type CaseName, type PolicyName } from './cases.js';

/** What main.ts asks one worker thread to measure: one case, one machine, one isolate. */
export interface CaseRequest {
  readonly name: CaseName;
  readonly policy: PolicyName;
  readonly pages: number;
  readonly timeMs: number;
}

/** What it answers: ns per access, the median over samples of LOOP accesses, and their spread. */
export interface CaseResult extends CaseRequest {
  readonly ns: number;
  readonly p25: number;
  readonly p75: number;
  readonly samples: number;
}

const request = workerData as CaseRequest;
const bed = await makeCase(request.name, request.policy, request.pages);
const bench = new Bench({ time: request.timeMs, warmupTime: request.timeMs / 2, retainSamples: true });
bench.add(request.name, bed.run, { beforeEach: bed.prepare });
await bench.run();
bed.verify();

const { result } = bench.tasks[0];
if (!('latency' in result)) throw new Error(`${request.name} was not measured: ${result.state}`);
const samples = [...(result.latency.samples ?? [])].sort((a, b) => a - b);
const at = (share: number) => (samples[Math.floor(samples.length * share)] * 1e6) / LOOP;
const measured: CaseResult = { ...request, ns: at(0.5), p25: at(0.25), p75: at(0.75), samples: samples.length };
parentPort?.postMessage(measured);

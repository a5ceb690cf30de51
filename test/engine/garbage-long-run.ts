import { constants, PerformanceObserver, type NodeGCPerformanceDetail, type PerformanceEntry } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { caseNamed } from '../../bench/cases/index.js';

/**
 * What happens to the heap between one and ten million faults of one kind, with the nursery that Node comes with. What prepares the
 * faults may allocate; what it leaves is collected before each stretch of faults, and only the stretches count.
 *
 * node --expose-gc garbage-long-run.js CASE
 * Prints {"faults", "grownBytes", "scavenges"} as JSON.
 */
const [, , name] = process.argv;
const PAGES = 2 ** 18;
const STRETCH = 2 ** 17;
const [WARM_UP, FAULTS] = [1_000_000, 9_000_000];

const collect = globalThis.gc;
if (collect === undefined) throw new Error('run it with --expose-gc');
const stretches: (readonly [from: number, until: number])[] = [];
const collections: PerformanceEntry[] = [];
new PerformanceObserver((list) => collections.push(...list.getEntries())).observe({ entryTypes: ['gc'] });

const { make } = caseNamed(name);
const { prepare, run, verify } = await make(PAGES);
for (let made = 0; made < WARM_UP; made += STRETCH) {
  await prepare(STRETCH);
  await run(STRETCH);
}
let faults = 0;
let grownBytes = 0;
for (; faults < FAULTS; faults += STRETCH) {
  await prepare(STRETCH);
  await turn(); // what promises of the observer keep is told
  collect();
  process.memoryUsage();
  const from = performance.now();
  const before = process.memoryUsage().heapUsed;
  const running = run(STRETCH);
  grownBytes += process.memoryUsage().heapUsed - before;
  stretches.push([from, performance.now()]);
  await running;
}
verify();
await turn();
const scavenges = collections.filter(
  (entry) =>
    (entry as PerformanceEntry & { detail: NodeGCPerformanceDetail }).detail.kind ===
      constants.NODE_PERFORMANCE_GC_MINOR &&
    stretches.some(([from, until]) => entry.startTime >= from && entry.startTime <= until),
).length;
process.stdout.write(`${JSON.stringify({ faults, grownBytes, scavenges })}\n`, () => process.exit(0));

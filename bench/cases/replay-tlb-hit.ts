import { loadPolicy } from '../../src/engine/index.js';
import { replayOn } from '../../src/engine/replay/replay-on.js';
import { BENCH_CPUS, makeBed, mustHold } from '../../src/prove/index.js';
import { Random } from '../../src/random.js';
import type { Sidecar, TraceBatch, TraceSource } from '../../src/trace/index.js';
import { asCpuId } from '../../src/units.js';
import type { BenchCase, Prepared } from '../question.js';

/** Rows per batch, which is a sample too; and rows that a thread runs in one go. */
const BATCH = 65_536;
const QUANTUM = 256;
/** Batches that are gone through again and again. */
const BATCHES = 64;
/** Batches until every page that is written at all has been. */
const WARM_UP = 8;
/** Pages per thread, every second one used: they fill all ways of half of the sets of a TLB. */
const HOT = 512;
const MORE_THAN_ENOUGH = 2 ** 45;

/**
 * What does a row of a trace take that the TLB answers, in the whole loop of the replay: batches, quanta, threads' and CPUs'
 * clocks, load, cost, statistics? The reference keeps the same clocks and figures.
 */
export const cases: readonly BenchCase[] = [
  {
    name: 'replay-tlb-hit',
    unit: 'row',
    reference: { name: 'replay-tlb-hit', policy: 'default' },
    loop: BATCH,
    isAsync: true,
    make: replayTlbHits,
  },
];

async function replayTlbHits(pages: number): Promise<Prepared> {
  const { machine } = await makeBed({ pages, policy: null });
  const { counters } = machine;
  let made = 0;
  let go: () => void = () => undefined;
  let done: () => void = () => undefined;
  let failed: (reason: unknown) => void = () => undefined;
  const batches = hotBatches();
  const tids = Array.from({ length: BENCH_CPUS }, (_, tid) => tid);
  const source: TraceSource = {
    ...{ name: 'hot', path: 'hot', sidecar: sidecarOf(tids), rows: MORE_THAN_ENOUGH, batchCount: BATCHES },
    async *batches() {
      for (let turn = 0; ; turn++) {
        await new Promise<void>((resolve) => (go = resolve));
        yield { ...batches[turn % BATCHES], firstRow: turn * BATCH };
      }
    },
    close: () => undefined,
  };
  const definition = await loadPolicy('default', '.');
  replayOn({
    ...{ machine, source, cpus: new Map(tids.map((tid) => [tid, asCpuId(tid)])), actions: [], vmaPolicies: [] },
    ...{ region: { from: 0, until: MORE_THAN_ENOUGH }, order: 'rows', repeat: { times: 1 } },
    runPolicy: { definition, nodes: [], flag: null, options: {} },
    progress: () => {
      done();
    },
  }).catch((error: unknown) => {
    failed(error);
  });
  const run = () => {
    made += BATCH;
    return new Promise<void>((resolve, reject) => {
      [done, failed] = [resolve, reject];
      go();
    });
  };
  await new Promise(setImmediate); // the replay asks for its first batch
  for (let i = 0; i < WARM_UP; i++) await run();
  const missesBefore = counters.get('tlb_miss');
  made = 0;
  return {
    prepare: () => undefined,
    run,
    verify() {
      const share = (counters.get('tlb_miss') - missesBefore) / made;
      mustHold(made > 0 && share < 0.001, `${String(share)} of the rows missed the TLB`);
    },
  };
}

/** A quarter of the rows write, every eighth has a miss, half stand for several accesses. */
function hotBatches(): TraceBatch[] {
  const random = new Random(3);
  return Array.from({ length: BATCHES }, (_, turn) => {
    const tid = Uint16Array.from({ length: BATCH }, (_, i) => Math.floor(i / QUANTUM) % BENCH_CPUS);
    const column = (value: (i: number) => number) => Uint32Array.from({ length: BATCH }, (_, i) => value(i));
    const miss = column(() => (random.below(8) === 0 ? 1 : 0));
    return {
      ...{ firstRow: 0, rows: BATCH, tid, miss },
      quantum: column((i) => Math.floor((turn * BATCH + i) / QUANTUM)),
      page: column((i) => 2 * (tid[i] * HOT + random.below(HOT))),
      op: Uint8Array.from({ length: BATCH }, () => (random.below(4) === 0 ? 1 : 0)),
      count: column(() => 1 + random.below(2) * random.below(7)),
    };
  });
}

function sidecarOf(tids: readonly number[]): Sidecar {
  const last = MORE_THAN_ENOUGH - 1;
  return {
    ...{ format: 'numa-page-trace', version: 1, name: 'hot', title: 'rows that the TLB answers', page_bytes: 4096 },
    rows: MORE_THAN_ENOUGH,
    capture: { quantum_accesses: QUANTUM, fold: 'quantum', cache_kib: 256 },
    processes: [{ pid: 0, name: 'hot', first_row: 0, last_row: last, rows: MORE_THAN_ENOUGH, truncated: false }],
    threads: tids.map((tid) => ({ tid, process: 0, parent: tid === 0 ? null : 0, start_row: 0, end_row: null })),
    regions: [
      {
        ...{ id: 0, kind: 'mmap', name: 'anon', first_page: 0, pages: 2 * HOT * BENCH_CPUS, process: 0 },
        ...{ vaddr: '0x7f0000000000', by_tid: 0, map_row: 0, unmap_row: null },
      },
    ],
    file_mappings: [],
    events: [],
  };
}

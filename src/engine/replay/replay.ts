import type { RunRequest } from '../../run/run-request.js';
import type { PolicySpec } from '../../run/run-spec.js';
import { MmError } from '../../errors.js';
import { formatNodes, formatPages, type MachineDescription, Topology } from '../../hardware/index.js';
import type { MempolicyRequest } from '../../mm/index.js';
import type { RunResult } from '../../stats/index.js';
import {
  bestStatic,
  firstParallelRow,
  pageCount,
  scaledMisses,
  type Sidecar,
  type TraceSource,
} from '../../trace/index.js';
import { openTrace } from '../../trace/readers/index.js';
import { planActions } from './actions.js';
import { compose, tracedBy } from '../compose.js';
import { placeThreads } from './cpu-placement.js';
import { loadGuarded, loadPolicy } from '../load-policies.js';
import type { Machine } from '../machine.js';
import { rowOfTraceMoment } from './moments.js';
import { balancerRequest } from '../load-balancers.js';
import { policyRequest } from './policy-request.js';
import { profileNamed, rulesOf } from '../profiles/index.js';
import { replayOn } from './replay-on.js';
import { runAssumptions } from './run-assumptions.js';
import { countTouchedPages } from './touched-pages.js';
import { openTraceLog, type Watcher } from '../trace-log-file.js';
import { regionsNamed } from './trace-regions.js';

/**
 * Carries out one run on one trace, from the opened file to the result. Same request, same bytes.
 *
 * @param progress told how many rows are done, every batch
 * @param watcher told of each step, instead of the log that the request may ask for
 * @throws MmError for anything wrong with trace, machine, policy or run
 */
export async function replayTrace(
  request: RunRequest,
  progress: (rows: number) => void,
  watcher?: Watcher,
): Promise<RunResult> {
  const source = await openTrace(request.tracePath);
  try {
    return await replaySource(source, request, progress, watcher);
  } finally {
    source.close();
  }
}

/** The same, of a trace that is open already; it stays open. */
export async function replaySource(
  source: TraceSource,
  request: RunRequest,
  progress: (rows: number) => void,
  watcher?: Watcher,
): Promise<RunResult> {
  const log = request.traceLog === undefined ? null : openTraceLog(request.traceLog);
  try {
    const { missFactor } = request;
    const rows = missFactor === undefined ? source : scaledMisses(source, missFactor);
    return await replayWatched(rows, request, progress, watcher ?? log);
  } finally {
    log?.close();
  }
}

async function replayWatched(
  source: TraceSource,
  request: RunRequest,
  progress: (rows: number) => void,
  watcher: Watcher | null,
): Promise<RunResult> {
  const { spec, options, seed } = request;
  const { sidecar } = source;
  const cwd = process.cwd();
  const { switches } = spec;
  checkSwitches(request);
  const machineDescription = await withMemoryLimits(request, source);
  await checkRoom(source, machineDescription, switches.swap);
  const topology = new Topology(machineDescription);
  const allowed = topology.nodesWithMemory();
  const region = await regionRows(source, request);
  const cpus = placeThreads(await threadsWithRows(source), switches.cpus, topology);

  const kernel = { rule: rulesOf(profileNamed(switches.profile).rules).modes, profile: switches.profile };
  const load = async (policy: PolicySpec, which: number): Promise<MempolicyRequest> => {
    const definition = await loadGuarded(policy.name, cwd, which, request.asked ?? null);
    const best = definition.prepass === 'best-static' ? await bestNodes(source, topology, cpus, region) : undefined;
    return policyRequest(policy, definition, topology, allowed, kernel, best);
  };
  const runPolicy = await load(spec.policy, 0);
  const vmaPolicies = await Promise.all(
    switches.vmas.map(async ({ region: word, policy }, i) => {
      regionsNamed(sidecar, word);
      return { word, request: await load(policy, i + 1) };
    }),
  );

  const balancer = await balancerRequest(switches.balancing, cwd);
  const parts = {
    machine: machineDescription,
    profile: switches.profile,
    switches,
    seed,
    cost: { hitNs: options.hitNs, mlp: options.mlp },
    defaultPolicy: await loadPolicy('default', cwd),
    autoMigrate: switches.autoMigrate,
    ...(balancer !== null && { balancer }),
    ...(switches.swap ? {} : { swapPages: 0 }),
    ...(switches.thp === 'never' ? {} : { thp: { enabled: switches.thp } }),
    expectedPages: pageCount(sidecar),
  };
  const machine = watcher === null ? compose(parts) : compose(parts, tracedBy(watcher.tracer));
  watcher?.watch(machine);
  const actions = planActions(spec.actions, sidecar, machine);
  const replayed = await replayOn({
    ...{ machine, source, cpus, region, actions, progress, runPolicy, vmaPolicies },
    ...{ order: options.order, repeat: options.repeat, watch: watcher?.page },
  });
  return result(request, machine, runPolicy, region, replayed, machineDescription, sidecar);
}

type Replayed = Awaited<ReturnType<typeof replayOn>>;

function result(
  request: RunRequest,
  machine: Machine,
  { definition, nodes }: MempolicyRequest,
  regionRowsOf: { from: number; until: number },
  replayed: Replayed,
  description: MachineDescription,
  sidecar: Sidecar,
): RunResult {
  const { spec } = request;
  const policyAttainable = definition.attainable !== false;
  // No mainline kernel has either, whatever it did here.
  const isPatched =
    machine.options.balancer?.definition.attainable === false ||
    spec.actions.some(({ kind }) => kind === 'lazy') ||
    spec.switches.autoMigrate !== null;
  return {
    run: spec.text,
    policy: definition.name,
    nodes: spec.policy.nodes === null ? '' : formatNodes(nodes),
    profile: spec.switches.profile,
    machine: description.name,
    trace: replayed.traceName,
    seed: request.seed,
    attainable: policyAttainable && !isPatched && machine.counters.get('mof_migrate_done') === 0,
    policyAttainable,
    outcome: replayed.outcome,
    whole: replayed.whole,
    region: replayed.region,
    regionRows: regionRowsOf,
    phases: replayed.phases,
    actions: replayed.actions,
    pagesPerNode: replayed.region.pagesPerNode,
    counters: machine.counters.snapshot(),
    nodeCounters: machine.counters.snapshotOfNodes(),
    marks: replayed.marks,
    assumptions: runAssumptions(request, machine, description, sidecar),
  };
}

/** Things that contradict each other. */
function checkSwitches({ spec }: RunRequest): void {
  const { switches, actions } = spec;
  const hooks = switches.hookSwap || switches.hookFile || switches.hookShmem;
  if (hooks && profileNamed(switches.profile).hooks.length === 0) {
    throw new MmError(
      'BAD_RUN',
      `run "${spec.text}": profile ${switches.profile} is a mainline kernel, which has no migrate-on-fault hooks; use profile=mof, or leave out hooks and lazy`,
    );
  }
  if (switches.autoMigrate !== null && profileNamed(switches.profile).hooks.length === 0) {
    throw new MmError(
      'BAD_RUN',
      `run "${spec.text}": profile ${switches.profile} has no automatic migration; use profile=mof or mof-2006, or leave out automigrate`,
    );
  }
  if (switches.balancing !== null && !profileNamed(switches.profile).hasHugePages) {
    throw new MmError(
      'BAD_RUN',
      `run "${spec.text}": profile ${switches.profile} is a kernel before 3.8, which has no NUMA balancing; use another profile, or leave out balancing`,
    );
  }
  if (switches.thp !== 'never' && !profileNamed(switches.profile).hasHugePages) {
    throw new MmError(
      'BAD_RUN',
      `run "${spec.text}": profile ${switches.profile} is a kernel before 2.6.38, which has no transparent huge pages; use another profile, or leave out thp`,
    );
  }
  const action = actions.find(({ kind }) => kind === 'lazy' || kind === 'swapout')?.kind;
  const needsSwap = action ?? (switches.autoMigrate?.lazy === true ? 'automigrate=lazy' : null);
  if (!switches.swap && needsSwap !== null) {
    throw new MmError(
      'BAD_RUN',
      `run "${spec.text}": ${needsSwap} needs swap slots for anonymous pages; leave out swap=off`,
    );
  }
}

/** `--memory`: nodes with another size than the machine's. */
async function withMemoryLimits({ machine, options }: RunRequest, source: TraceSource): Promise<MachineDescription> {
  if (options.memory.length === 0) return machine;
  const needsShare = options.memory.some((limit) => 'share' in limit);
  const touched = needsShare ? (await countTouchedPages(source)).touched : 0;
  const nodes = machine.nodes.map((node) => ({ ...node }));
  for (const limit of options.memory) {
    if (limit.node >= nodes.length) {
      throw new MmError(
        'BAD_OPTION',
        `--memory: node ${String(limit.node)} is not on machine ${machine.name}, which has nodes 0-${String(nodes.length - 1)}`,
      );
    }
    const pages = 'pages' in limit ? limit.pages : Math.ceil(touched * limit.share);
    nodes[limit.node] = { ...nodes[limit.node], pages };
  }
  return { ...machine, nodes };
}

/** Without swap, private memory that does not fit can only end in OOM: said beforehand. */
async function checkRoom(source: TraceSource, machine: MachineDescription, swap: boolean): Promise<void> {
  if (swap) return;
  const room = machine.nodes.reduce((pages, node) => pages + node.pages, 0);
  const bound = source.sidecar.regions.reduce(
    (pages, region) => pages + (region.kind === 'file' ? 0 : region.pages),
    0,
  );
  if (bound <= room) return;
  const { peakPrivate } = await countTouchedPages(source);
  if (peakPrivate <= room) return;
  throw new MmError(
    'NO_ROOM',
    `trace ${source.name} needs ${formatPages(peakPrivate)} at once, machine ${machine.name} has ${formatPages(room)}, and swap is off; use swap=on or a larger machine`,
  );
}

async function regionRows(source: TraceSource, { options }: RunRequest): Promise<{ from: number; until: number }> {
  const { sidecar } = source;
  const from =
    options.from === null ? ((await firstParallelRow(source)) ?? 0) : rowOfTraceMoment(options.from, sidecar, '--from');
  const until = options.until === null ? sidecar.rows : rowOfTraceMoment(options.until, sidecar, '--until');
  if (from >= until) {
    throw new MmError(
      'BAD_OPTION',
      `the region of interest is empty: --from is row ${String(from)}, --until row ${String(until)}`,
    );
  }
  return { from, until };
}

/** Threads that appear in the rows, ascending: those that are placed. */
async function threadsWithRows(source: TraceSource): Promise<number[]> {
  const seen = new Uint8Array(65536);
  let missing = source.sidecar.threads.length;
  for await (const { rows, tid } of source.batches()) {
    for (let i = 0; i < rows; i++) {
      if (seen[tid[i]] === 0) {
        seen[tid[i]] = 1;
        missing--;
      }
    }
    if (missing === 0) break;
  }
  return Array.from(seen.keys()).filter((tid) => seen[tid] === 1);
}

function bestNodes(
  source: TraceSource,
  topology: Topology,
  cpus: ReadonlyMap<number, number>,
  region: { from: number; until: number },
): Promise<Int16Array> {
  const nodeOfTid = new Int32Array(65536);
  for (const [tid, cpu] of cpus) nodeOfTid[tid] = topology.nodeOfCpu[cpu];
  const sizes = Array.from(topology.pagesOfNode);
  if (Math.min(...sizes) > pageCount(source.sidecar)) return bestStatic(source, { nodeOfTid, ...region });
  const room = sizes.map((pages) => Math.floor(pages * 0.95)); // a node is never filled below its watermarks
  return bestStatic(source, { nodeOfTid, ...region, room });
}

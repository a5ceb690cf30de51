import fc from 'fast-check';
import { compose, type Machine, TRACER } from '../../../src/engine/index.js';
import type { MachineDescription } from '../../../src/hardware/index.js';
import type { PolicyDefinition } from '../../../src/policy/index.js';
import type { Tracer } from '../../../src/stats/index.js';
import { tinyDescription } from '../tiny-machine.js';

/** A small machine as plain data: everything about it that a random program may find different. */
export interface Setup {
  readonly nodes: readonly { readonly frames: number; readonly cpus: number }[];
  readonly distance: 'flat' | 'ring' | 'uneven';
  /** `mof-2006` and `linux-5.15` are not among them: they lose things, as those kernels did (MV-2). */
  readonly profile: 'mof' | 'linux-6.1' | 'linux-6.12';
  /** Migrate-on-fault; only the profile `mof` has it. */
  readonly hooks: boolean;
  readonly operationTest: 'first' | 'late';
  readonly misplacedGate: 'every-policy' | 'marked-only';
  /** What one of the files offers for moving its pages. */
  readonly oddOperation: 'none' | 'fail';
  /** Every third move is refused (M4). */
  readonly refusals: boolean;
  /** Swap slots as a share of the frames, in percent. */
  readonly swapPercent: number;
  readonly writesAtOnce: boolean;
  readonly minFreePages: number;
  readonly swappiness: number;
  readonly zoneReclaimMode: number;
  readonly readahead: boolean;
  readonly faultAround: boolean;
  readonly pageCluster: number;
  readonly tlbSetBits: number;
  /** Frames of the device. */
  readonly devicePages: number;
  /** A node is one memory block, or several of so many pages. */
  readonly blockPages: number;
}

/** The one device of each machine. */
export const DEVICE = 'gpu';

/** One random program: a machine, and the seed that its steps are drawn with. */
export interface Program {
  readonly setup: Setup;
  readonly seed: number;
}

const weighted = <T>(...choices: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

const frames = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 8, max: 16 }) },
  { weight: 4, arbitrary: fc.integer({ min: 17, max: 32 }) },
  { weight: 1, arbitrary: fc.integer({ min: 33, max: 64 }) },
);
/** The first node has both CPUs and memory; one in ten of the others lacks one of them. */
const firstNode = fc.record({ frames, cpus: fc.integer({ min: 1, max: 2 }) });
const otherNode = fc.record({
  frames: fc.oneof({ weight: 19, arbitrary: frames }, { weight: 1, arbitrary: fc.constant(0) }),
  cpus: weighted([9, 1], [9, 2], [1, 0]),
});

const setups: fc.Arbitrary<Setup> = fc.record({
  nodes: fc
    .tuple(firstNode, firstNode, fc.array(otherNode, { minLength: 0, maxLength: 6 }))
    .map(([first, second, others]) => [first, second, ...others]),
  distance: weighted<Setup['distance']>([2, 'flat'], [1, 'ring'], [1, 'uneven']),
  profile: weighted<Setup['profile']>([8, 'mof'], [1, 'linux-6.1'], [1, 'linux-6.12']),
  hooks: weighted([14, true], [1, false]),
  operationTest: weighted<Setup['operationTest']>([2, 'first'], [1, 'late']),
  misplacedGate: weighted<Setup['misplacedGate']>([14, 'every-policy'], [1, 'marked-only']),
  oddOperation: weighted<Setup['oddOperation']>([1, 'none'], [2, 'fail']),
  refusals: fc.boolean(),
  swapPercent: weighted([3, 0], [4, 20], [3, 60], [4, 100], [1, 300]),
  writesAtOnce: weighted([3, false], [1, true]),
  minFreePages: weighted([3, 0], [2, 4], [2, 12]),
  swappiness: weighted([1, 0], [4, 60], [2, 130], [1, 200]),
  zoneReclaimMode: weighted([4, 0], [1, 1], [1, 7]),
  readahead: fc.boolean(),
  faultAround: fc.boolean(),
  pageCluster: weighted([2, 0], [1, 1], [1, 3]),
  tlbSetBits: weighted([2, 1], [2, 3], [1, 6]),
  devicePages: weighted([1, 2], [3, 12], [1, 40]),
  blockPages: weighted([1, 64], [2, 16], [1, 8]),
});

export const programs: fc.Arbitrary<Program> = fc.record({
  setup: setups,
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});

function describeMachine({ nodes, distance }: Setup): MachineDescription {
  let cpu = 0;
  const slit = nodes.map((_, from) =>
    nodes.map((__, to) => (from === to ? 10 : distanceOf(distance, from, to, nodes.length))),
  );
  return {
    ...tinyDescription({ nodes: nodes.length, distance: slit }),
    nodes: nodes.map(({ cpus, frames: pages }) => ({ cpus: Array.from({ length: cpus }, () => cpu++), pages })),
  };
}

function distanceOf(kind: Setup['distance'], from: number, to: number, nodes: number): number {
  const steps = Math.min((from - to + nodes) % nodes, (to - from + nodes) % nodes);
  if (kind === 'flat') return 20;
  return kind === 'ring' ? 10 + 10 * steps : 15 + ((from * 7 + to * 3) % 30);
}

/** The machine, with contents kept and somebody watching. */
export function buildMachine(setup: Setup, defaultPolicy: PolicyDefinition, tracer: Tracer): Machine {
  const hooks = setup.hooks && setup.profile === 'mof';
  const memoryPages = setup.nodes.reduce((pages, node) => pages + node.frames, 0);
  let moves = 0;
  return compose(
    {
      machine: describeMachine(setup),
      profile: setup.profile,
      rules: hooks ? { operationTest: setup.operationTest, misplacedGate: setup.misplacedGate } : {},
      switches: {
        ...{ hookSwap: hooks, hookFile: hooks, hookShmem: hooks },
        ...{ pageCluster: setup.pageCluster, readahead: setup.readahead, faultAround: setup.faultAround },
      },
      swapPages: Math.floor((memoryPages * setup.swapPercent) / 100),
      ...{ keepContents: true, writesAtOnce: setup.writesAtOnce, minFreeKbytes: setup.minFreePages * 4 },
      sysctls: { swappiness: setup.swappiness, zoneReclaimMode: setup.zoneReclaimMode },
      tlbSetBits: setup.tlbSetBits,
      devices: [{ name: DEVICE, pages: setup.devicePages }],
      memoryBlockPages: setup.blockPages,
      ...(setup.refusals ? { refuseMove: () => ++moves % 3 === 0 } : {}),
      ...{ defaultPolicy, seed: 1 },
    },
    (container) => {
      container.unbind(TRACER);
      container.bind(TRACER).toConstantValue(tracer);
    },
  );
}

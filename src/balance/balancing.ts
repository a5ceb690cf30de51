import { int32s } from '../arrays.js';
import {
  MARK_HIGH,
  MARK_PROMO,
  VM_EXEC,
  VM_READ,
  VM_SPECIAL,
  VM_WRITE,
  type Mempolicy,
  type PolicyLookup,
  type Task,
  type Vma,
} from '../mm/index.js';
import type { Lazy } from '../migrate/index.js';
import type {
  BalancedTask,
  BalancedArea,
  BalancedWorld,
  BalancerActions,
  BalancerDefinition,
  BalancerInstance,
  BalancingRule,
  HintFault,
  OptionValues,
  PassedOver,
  World,
} from '../policy/index.js';
import { C } from '../stats/index.js';
import { NO_PAGE, type CpuId, type NodeId, type Pfn } from '../units.js';
import { makeHintMarks, type HintMarksParts } from './hint-marks.js';
import { makeMoveToNode, type MoveToNode, type MoveToNodeParts } from './move-to-node.js';
import { topTierOf } from './tiers.js';

export interface BalancingParts
  extends Omit<HintMarksParts, 'world'>, Omit<MoveToNodeParts, 'world' | 'wakeReclaim' | 'isTiering'> {
  readonly lookup: PolicyLookup;
  readonly defaultPolicy: Mempolicy;
  readonly lazy: Lazy;
  readonly world: World;
  readonly wakeReclaim: (node: NodeId, cpu: CpuId) => void;
  /** Tier of each node (TI-1). */
  readonly tiers: readonly number[];
  readonly rule: BalancingRule;
  readonly balancer: { readonly definition: BalancerDefinition; readonly options: OptionValues };
}

/** The balancer of a machine, and what carries out what it asks for. */
export interface Balancing {
  readonly instance: BalancerInstance;
  readonly move: MoveToNode;
  /** False: it is told of no ticks. Kernel: kernel.numa_balancing */
  isOn: boolean;
  /** The thread has run for so long on its CPU, and goes on in user space. */
  ran(task: Task, ns: number): void;
  /** The thread is on another node now; null: the balancer does not want to know. */
  readonly moved: ((task: Task, from: NodeId) => void) | null;
  /** A fault was served; null: the balancer does not want to know. */
  readonly faultServed: ((f: { task: Task; vma: Vma; offset: number; isWrite: boolean }) => void) | null;
}

/** What a balancer has are the engine's own, seen through the contract. */
const asTask = (task: unknown): Task => task as Task;
const asVma = (area: unknown): Vma => area as Vma;
const asSpace = (space: unknown): Task['space'] => space as Task['space'];

export function makeBalancing(parts: BalancingParts): Balancing {
  const { frames, tables, zones, lru, counters, meter, lookup, defaultPolicy, lazy, tiers } = parts;
  const { definition, options } = parts.balancer;
  frames.stored = int32s(frames.capacity);
  const running: (Task | null)[] = Array.from({ length: parts.world.cpuCount }, () => null);
  const world = balancedWorld();
  const move = makeMoveToNode({
    ...parts,
    world,
    isTiering: () => definition.reclaimsToPromo === true,
    wakeReclaim: (node) => {
      parts.wakeReclaim(node, 0 as CpuId);
    },
  });
  const marks = makeHintMarks({ ...parts, world });

  function balancedWorld(): BalancedWorld {
    const cpusOn = new Set(Array.from({ length: parts.world.cpuCount }, (_, cpu) => parts.world.nodeOfCpu(cpu)));
    const isTop = topTierOf(tiers, (node) => cpusOn.has(node));
    return {
      ...parts.world,
      isTopTier: (node) => isTop[node],
      tierOf: (node) => tiers[node],
      freePages: (node) => zones.free(node),
      managedPages: (node) => zones.managed[node],
      highMark: (node) => zones.mark(node, MARK_HIGH),
      promoMark: (node) => zones.mark(node, MARK_PROMO),
    };
  }

  /** NB-10..NB-12, NB-18 */
  function passesOver(task: BalancedTask, area: BalancedArea): PassedOver | null {
    const vma = asVma(area);
    if ((vma.flags & VM_SPECIAL) !== 0) return 'unsuitable';
    const policy = lookup.ofVma(asTask(task), vma, 0);
    const follows = policy === null || policy.definition === defaultPolicy.definition;
    if (!follows && policy.request.numaBalancing !== true) return 'unsuitable';
    if (vma.file !== null && (vma.flags & (VM_READ | VM_WRITE)) === VM_READ) return 'shared library';
    return (vma.flags & (VM_READ | VM_WRITE | VM_EXEC)) === 0 ? 'inaccessible' : null;
  }

  function migrate(task: BalancedTask, area: BalancedArea, vpn: number, to: NodeId): number {
    const vma = asVma(area);
    const page = tables.walk(vma.space.root, vpn);
    if (page === NO_PAGE || !tables.isPresent(page) || tables.word[page] === (parts.zeroPage as number)) return 0;
    if (frames.nodeOf(tables.word[page] as Pfn) === to || !move.prepare(vma, page, to)) return 0;
    return move.migrate(asTask(task), page, to);
  }

  const ask: BalancerActions = {
    nowNs: () => meter.nowNs,
    taskOn: (cpu) => running[cpu] ?? null,
    areaAfter: (space, page) => asSpace(space).vmas.endingAfter(page) ?? null,
    passesOver,
    mark: (task, area, from, until, how) => marks.mark(asTask(task), asVma(area), from, until, how),
    unmapLazily(task, area, from, until) {
      lru.drainAll();
      return lazy.unmapArea(asTask(task), asVma(area), from - area.start, until - from, null).unmapped;
    },
    visitPages(task, area, range, visit) {
      marks.visit(asTask(task), asVma(area), range, visit);
    },
    migrate: (task, area, page, to) => migrate(task, area, page, to) > 0,
    promote(task, area, page, to) {
      const pages = migrate(task, area, page, to);
      if (definition.reclaimsToPromo !== true) counters.add(C.pgpromote_success, pages); // else counted as it moved
      return pages > 0;
    },
    store(fault: HintFault, value) {
      const { pfn } = fault as HintFault & { readonly pfn: Pfn };
      if (frames.stored !== null) frames.stored[pfn] = value + 1;
    },
    countCandidate(pages) {
      counters.add(C.pgpromote_candidate, pages);
    },
    wakeReclaim(node) {
      parts.wakeReclaim(node, 0 as CpuId);
    },
  };
  const instance = definition.create({ options, world, ask, rule: parts.rule });
  const { fault, moved } = instance;

  const balancing: Balancing = {
    ...{ instance, move, isOn: true },
    ran(task, ns) {
      running[task.cpu] = task;
      task.usedNs += ns;
      if (balancing.isOn && instance.tick !== undefined) instance.tick(task);
    },
    moved: moved === undefined ? null : (task, from) => moved(task, from),
    faultServed:
      fault === undefined ? null : ({ task, vma, offset, isWrite }) => fault(task, vma, vma.start + offset, isWrite),
  };
  return balancing;
}

import type { OptionSpec, OptionValues, World } from './contract.js';
import type { NodeId } from '../units.js';

/** A thread. One object as long as it lives: a key for what a balancer keeps about it (`WeakMap`). */
export interface BalancedTask {
  readonly id: number;
  readonly cpu: number;
  readonly node: NodeId;
  readonly space: BalancedSpace;
  /** CPU time that it has used, ns. */
  readonly usedNs: number;
}

/** The memory of one process, and likewise a key. */
export interface BalancedSpace {
  readonly id: number;
  /** Pages of it that are mapped now. */
  readonly residentPages: number;
  /** Threads that are alive. */
  readonly threads: number;
}

/** A mapping of a process, by page numbers of its addresses, and likewise a key. */
export interface BalancedArea {
  readonly start: number;
  readonly end: number;
}

/** Why pages of an area are not marked (NB-10..NB-12): their policy or their kind, a library, no access rights. */
export type PassedOver = 'unsuitable' | 'shared library' | 'inaccessible';

/** A first use of a marked page. One object is refilled for each: read it, do not keep it. */
export interface HintFault {
  readonly task: BalancedTask;
  readonly area: BalancedArea;
  /** Page number of the address. */
  readonly page: number;
  /** 1, or 512 for a huge page. */
  readonly pages: number;
  readonly isWrite: boolean;
  readonly pageNode: NodeId;
  /** Where the page's policy lets it follow this task; `NO_NODE`: it is to stay where it is (MP-69, MP-72). */
  readonly target: NodeId;
  /** Mapped by several, in an area that is shared: who meets here works on the same data (H4). */
  readonly isShared: boolean;
  /** Read-only: meeting here says nothing (H4). */
  readonly groups: boolean;
  /** What the balancer has stored with the page, 0 or more; `NOTHING_STORED` before that, and after a move between tiers. */
  readonly stored: number;
  /** On the active list of its node: reclaim thinks it hot. */
  readonly isActive: boolean;
}

export const NOTHING_STORED = -1;

/** What became of a page after a hint fault. */
export type Served = 'moved' | 'failed' | 'stayed';

/** What `mark` leaves out beside what can never be marked. */
export interface MarkOptions {
  /** Pages of the fast tier (NB-30). */
  readonly skipsTopTier: boolean;
  /** The time in ms is stored with pages below it (section 3.1). */
  readonly storesTime: boolean;
}

/** One mapped page, as `visitPages` shows it. Refilled for each. */
export interface VisitedPage {
  readonly page: number;
  readonly node: NodeId;
  readonly pages: number;
  /** Used since the last visit: the accessed bit of its entry, which the visit clears if it is asked to. */
  readonly wasUsed: boolean;
}

/** What a balancer may ask for. The engine carries it out at once, on the clock of `task`, and accounts for it. */
export interface BalancerActions {
  /** Now, ns, on the clock of whoever runs. */
  nowNs(): number;
  /** The thread that ran last on a CPU. */
  taskOn(cpu: number): BalancedTask | null;
  /** The first area that ends beyond a page, in order of address. */
  areaAfter(space: BalancedSpace, page: number): BalancedArea | null;
  passesOver(task: BalancedTask, area: BalancedArea): PassedOver | null;
  /** The next use of these pages is a hint fault. @returns entries marked */
  mark(task: BalancedTask, area: BalancedArea, from: number, until: number, options: MarkOptions): number;
  /** Unmaps pages where they lie: migrate-on-fault lets each follow its next toucher. @returns pages unmapped */
  unmapLazily(task: BalancedTask, area: BalancedArea, from: number, until: number): number;
  /** Shows the mapped pages of a range; `clears`: their accessed bits are taken back. */
  visitPages(
    task: BalancedTask,
    area: BalancedArea,
    range: { readonly from: number; readonly until: number; readonly clears: boolean },
    visit: (page: VisitedPage) => void,
  ): void;
  /** Moves one page now, if that node has room above its high watermark. @returns whether it moved */
  migrate(task: BalancedTask, area: BalancedArea, page: number, to: NodeId): boolean;
  /** The same up, counted as a promotion. */
  promote(task: BalancedTask, area: BalancedArea, page: number, to: NodeId): boolean;
  /** Stores a whole number from 0 to 2^30 with the page of a hint fault, which travels with it. */
  store(fault: HintFault, value: number): void;
  /** Counts a candidate for promotion (pgpromote_candidate). */
  countCandidate(pages: number): void;
  /** Wakes the background reclaimer of a node. */
  wakeReclaim(node: NodeId): void;
}

/** What of the kernel's era a balancer may go by. */
export interface BalancingRule {
  /** NB-17..NB-20, 6.4 on: areas that the scanning thread does not use are passed over. */
  readonly skipsUnused: boolean;
  /** NB-80: whoever slows down forgets what it counted; in 6.1 it does not. */
  readonly forgetsWhenSlowing: boolean;
}

/** The machine as a balancer sees it. */
export interface BalancedWorld extends World {
  /** TI-1..TI-3: in a tier at least as fast as the slowest one that has a CPU. */
  isTopTier(node: NodeId): boolean;
  /** Tier of a node: smaller is faster. */
  tierOf(node: NodeId): number;
  freePages(node: NodeId): number;
  managedPages(node: NodeId): number;
  /** The watermark up to which the background reclaimer frees a node, and the one beyond it that tiering adds. */
  highMark(node: NodeId): number;
  promoMark(node: NodeId): number;
}

export interface BalancerContext {
  readonly options: OptionValues;
  readonly world: BalancedWorld;
  readonly ask: BalancerActions;
  readonly rule: BalancingRule;
}

/** What a balancer is told. One instance per machine. */
export interface BalancerInstance {
  /** The thread is about to go on in user space and has used CPU time since it was last asked. */
  tick?(task: BalancedTask): void;
  /** A marked page was used. @returns where it should move, or `NO_NODE` */
  hintFault?(fault: HintFault): NodeId;
  /** How that ended; `fault.pageNode` is where the page is now. Not told if somebody else changed the entry meanwhile. */
  served?(fault: HintFault, how: Served): void;
  /** Any fault was served. */
  fault?(task: BalancedTask, area: BalancedArea, page: number, isWrite: boolean): void;
  /** The scheduler has put the thread on a CPU of another node. */
  moved?(task: BalancedTask, from: NodeId): void;
  /** Writes a control of the balancer by its kernel's name. @returns false: no such control */
  write?(name: string, value: number): boolean;
}

export interface BalancerDefinition {
  /** Name on the command line and in the report: kebab-case. */
  readonly name: string;
  readonly about: string;
  /** Where it is described, for the report. */
  readonly source: string;
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Background reclaim frees up to the promo watermark (TI-17). */
  readonly reclaimsToPromo?: boolean;
  /** No mainline kernel has it: it is never recommended. */
  readonly attainable?: boolean;
  create(context: BalancerContext): BalancerInstance;
}

/** Declares a balancer. Gives the definition back unchanged; it exists for its types and as the one thing to search for. */
export function defineBalancer(definition: BalancerDefinition): BalancerDefinition {
  return definition;
}

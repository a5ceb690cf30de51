import { NOTHING_STORED, type BalancedWorld, type BalancerActions, type HintFault } from '../balancer.js';
import type { NodeId } from '../../units.js';
import type { NumaSettings } from './settings.js';

const PAGES_PER_MB = 256;
const MINUTE_SHARE = 60;
/** Steps of the threshold: 16 up to twice the default (TI-25). */
const ADJUST_STEPS = 16;
const NO_THRESHOLD = 0;
/** TI-21: room beyond which every page may come: 1 GiB, or a sixteenth of the node. */
const MUCH_PAGES = 262_144;
const MUCH_SHARE = 16;
/** TI-29: the time is kept in the bits of the last accessor, 13 for the CPU and 8 for the thread. */
const TIME_MASK = (1 << 21) - 1;

const timeOf = (nowNs: number): number => Math.floor(nowNs / 1e6) & TIME_MASK;

/** What a node remembers of promotions to it. Kernel: the nbp_ fields of pglist_data */
class NodePromotions {
  thresholdMs = NO_THRESHOLD;
  windowStartMs: number;
  windowBase = 0;
  limitStartMs = 0;
  limitBase = 0;
  candidates = 0;

  /** TI-25a: the threshold's window starts now, that of the limit at 0. */
  constructor(nowMs: number) {
    this.windowStartMs = nowMs;
  }
}

/** TI-21..TI-26: is the slow page hot enough, and is there still room in this second? */
export class Promotion {
  private readonly nodes = new Map<NodeId, NodePromotions>();
  private readonly startMs: number;

  constructor(
    private readonly settings: NumaSettings,
    private readonly world: BalancedWorld,
    private readonly ask: BalancerActions,
  ) {
    this.startMs = this.nowMs();
  }

  private nowMs(): number {
    return Math.floor(this.ask.nowNs() / 1e6);
  }

  /** Threshold in force at a node, ms. */
  thresholdOf(node: NodeId): number {
    return this.of(node).thresholdMs || this.settings.hotThresholdMs;
  }

  /** Kernel: should_numa_migrate_memory(), its first part */
  mayPromote(fault: HintFault, to: NodeId): boolean {
    const state = this.of(to);
    if (this.hasMuchRoom(to)) {
      state.thresholdMs = NO_THRESHOLD;
      return true;
    }
    this.adapt(state);
    const now = timeOf(this.ask.nowNs());
    const latency = fault.stored === NOTHING_STORED ? TIME_MASK : (now - fault.stored) & TIME_MASK;
    this.ask.store(fault, now);
    if (latency >= (state.thresholdMs || this.settings.hotThresholdMs)) return false; // TI-23
    return this.isWithinLimit(state, fault.pages);
  }

  private of(node: NodeId): NodePromotions {
    let state = this.nodes.get(node);
    if (state === undefined) this.nodes.set(node, (state = new NodePromotions(this.startMs)));
    return state;
  }

  /** TI-21. Kernel: pgdat_free_space_enough() */
  hasMuchRoom(node: NodeId): boolean {
    const { world } = this;
    const room = Math.max(MUCH_PAGES, Math.floor(world.managedPages(node) / MUCH_SHARE));
    return world.freePages(node) > world.promoMark(node) + room;
  }

  private get limitPages(): number {
    return this.settings.promoteRateLimitMbps * PAGES_PER_MB;
  }

  /** TI-25. Kernel: numa_promotion_adjust_threshold() */
  private adapt(state: NodePromotions): void {
    const now = this.nowMs();
    if (now - state.windowStartMs <= this.settings.scanPeriodMaxMs) return;
    const reference = Math.floor((this.limitPages * MINUTE_SHARE * this.settings.scanPeriodMaxMs) / 60_000);
    const since = state.candidates - state.windowBase;
    const usual = this.settings.hotThresholdMs;
    const step = Math.floor((usual * 2) / ADJUST_STEPS);
    const before = state.thresholdMs || usual;
    if (since > (reference * 11) / 10) state.thresholdMs = Math.max(before - step, step);
    else if (since < (reference * 9) / 10) state.thresholdMs = Math.min(before + step, usual * 2);
    else state.thresholdMs = before;
    state.windowStartMs = now;
    state.windowBase = state.candidates;
  }

  /** TI-24, TI-26. Kernel: numa_promotion_rate_limit() */
  private isWithinLimit(state: NodePromotions, pages: number): boolean {
    state.candidates += pages;
    this.ask.countCandidate(pages);
    const now = this.nowMs();
    if (now - state.limitStartMs > 1000) {
      state.limitStartMs = now;
      state.limitBase = state.candidates;
    }
    return state.candidates - state.limitBase < this.limitPages;
  }
}

import type {
  BalancedArea,
  BalancedSpace,
  BalancedTask,
  BalancerActions,
  BalancingRule,
  MarkOptions,
} from '../balancer.js';
import type { NumaSettings } from './settings.js';

const PAGES_PER_MB = 256;
const HUGE_PAGES = 512;
/** Address space that one scan may pass over, in scan sizes. */
const VIRTUAL_SIZES = 8;
/** Scans of an area during which every thread scans it (NB-19). */
const FIRST_SCANS = 2;
/** How long it is remembered who used an area, in scan delays (NB-13, NB-15). */
const WINDOW_DELAYS = 4;

/** NB-13: what is known of an area. Kernel: struct vma_numab_state */
interface AreaState {
  start: number;
  nextMs: number;
  resetMs: number;
  done: number;
  /** Hashes of threads that used it, now and in the window before. */
  users: Set<number>;
  formerUsers: Set<number>;
}

interface SpaceState {
  sequence: number;
  /** Page number at which the next scan goes on. */
  offset: number;
}

/** Six bits of a thread's number (NB-19). */
const hashOf = (id: number): number => Math.imul(id, 0x61c88647) >>> 26;

/** What a scan covers (section 3). Kernel: task_numa_work() */
export class AreaScanner {
  private readonly spaces = new WeakMap<BalancedSpace, SpaceState>();
  private readonly areas = new WeakMap<BalancedArea, AreaState>();

  constructor(
    private readonly ask: BalancerActions,
    private readonly rule: BalancingRule,
    private readonly settings: NumaSettings,
    private readonly options: MarkOptions,
  ) {}

  /** How often the whole address space has been scanned. */
  sequenceOf(space: BalancedSpace): number {
    return this.of(space).sequence;
  }

  /** A hint fault says that the thread uses the area (H6). */
  used(area: BalancedArea, task: BalancedTask): void {
    this.areas.get(area)?.users.add(hashOf(task.id));
  }

  private of(space: BalancedSpace): SpaceState {
    let state = this.spaces.get(space);
    if (state === undefined) this.spaces.set(space, (state = { sequence: 0, offset: 0 }));
    return state;
  }

  scan(task: BalancedTask): void {
    const state = this.of(task.space);
    const size = this.settings.scanSizeMb * PAGES_PER_MB;
    const budget = { pages: size, virtual: size * VIRTUAL_SIZES };
    const passed = this.pass(task, state, budget, false);
    if (passed === 'skipped unused' && this.rule.skipsUnused) this.pass(task, state, budget, true); // NB-20
  }

  /** From the offset to the end of the budget, or of the address space; forced: one area, whoever uses it. */
  private pass(
    task: BalancedTask,
    state: SpaceState,
    budget: { pages: number; virtual: number },
    forced: boolean,
  ): 'done' | 'skipped unused' {
    let from = state.offset;
    let area = this.ask.areaAfter(task.space, from);
    if (area === null) {
      this.startOver(state);
      from = 0;
      area = this.ask.areaAfter(task.space, from);
    }
    let skipped = false;
    for (; area !== null; area = this.ask.areaAfter(task.space, area.end)) {
      const why = this.leftOut(task, area, state, forced);
      if (why === 'unused') skipped = true;
      if (why !== null) continue;
      const end = this.scanArea(task, area, Math.max(from, area.start), budget);
      if (end < area.end || budget.pages <= 0 || budget.virtual <= 0) {
        state.offset = end;
        if (end === area.end) this.finish(area, state);
        return 'done';
      }
      this.finish(area, state);
      if (forced) {
        state.offset = area.end;
        return 'done';
      }
    }
    if (skipped && !forced) return 'skipped unused';
    this.startOver(state);
    return 'done';
  }

  private startOver(state: SpaceState): void {
    state.sequence++;
    state.offset = 0;
  }

  private finish(area: BalancedArea, { sequence }: SpaceState): void {
    const of = this.areas.get(area);
    if (of !== undefined) of.done = sequence;
  }

  /** NB-21: chunk by chunk. @returns where it stopped */
  private scanArea(
    task: BalancedTask,
    area: BalancedArea,
    from: number,
    budget: { pages: number; virtual: number },
  ): number {
    for (let start = from; ;) {
      const wanted = Math.ceil((start + budget.pages) / HUGE_PAGES) * HUGE_PAGES;
      const end = Math.min(wanted, area.end);
      if (this.ask.mark(task, area, start, end, this.options) > 0) budget.pages -= end - start;
      budget.virtual -= end - start;
      if (end === area.end || budget.pages <= 0 || budget.virtual <= 0) return end;
      start = end;
    }
  }

  /** NB-10..NB-19, in order. @returns why the area is passed over; null: it is not */
  private leftOut(task: BalancedTask, area: BalancedArea, state: SpaceState, forced: boolean): string | null {
    const passedOver = this.ask.passesOver(task, area);
    if (passedOver !== null) return passedOver;
    const now = this.ask.nowNs() / 1e6;
    const delay = this.settings.scanDelayMs;
    let of = this.areas.get(area);
    if (of === undefined) {
      of = {
        ...{ start: state.sequence, nextMs: now + delay, resetMs: now + delay + WINDOW_DELAYS * delay },
        ...{ done: state.sequence - 1, users: new Set<number>(), formerUsers: new Set<number>() },
      };
      this.areas.set(area, of);
    }
    if (state.sequence > 0 && now < of.nextMs) return 'new'; // NB-14
    if (!this.rule.skipsUnused) return null;
    if (state.sequence > 0 && now > of.resetMs) {
      [of.formerUsers, of.users] = [of.users, new Set()]; // NB-15
      of.resetMs += WINDOW_DELAYS * delay;
    }
    if (of.done === state.sequence) {
      state.offset = area.end; // NB-16
      return 'done';
    }
    return forced || this.isUsed(task, area, of, state) ? null : 'unused';
  }

  /** NB-19 */
  private isUsed(task: BalancedTask, area: BalancedArea, of: AreaState, { sequence, offset }: SpaceState): boolean {
    if (sequence - of.start < FIRST_SCANS) return true;
    const hash = hashOf(task.id);
    if (of.users.has(hash) || of.formerUsers.has(hash)) return true;
    if (offset > area.start && offset < area.end) return true;
    return sequence > of.done + task.space.threads;
  }
}

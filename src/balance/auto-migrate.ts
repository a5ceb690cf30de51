import { ACCOUNT_MIGRATION, PRICE, type Meter } from '../cost/index.js';
import type { PageTables } from '../hardware/index.js';
import type { Lazy, MigratePages, MisplacedTarget } from '../migrate/index.js';
import {
  MARK_LOW,
  type Frames,
  type Lru,
  type Mempolicy,
  type PolicyLookup,
  type Task,
  type Vma,
  type Zones,
} from '../mm/index.js';
import { NO_PAGE, NO_PFN, type NodeId, type Pfn } from '../units.js';

/** The files under /sys/kernel/migration, by their names. */
const MIGRATION_CONTROLS = [
  'auto_migrate_enable',
  'auto_migrate_interval',
  'migrate_max_mapcount',
  'auto_migrate_lazy',
] as const;
type Control = (typeof MIGRATION_CONTROLS)[number];

export interface AutoMigrateSettings {
  /** Pages are only unmapped, and follow whoever touches them next. */
  readonly lazy: boolean;
  /** Seconds until the task may be moved to another node again; the kernel clips to 5..300. */
  readonly intervalS: number;
  /** Pages mapped more often than this stay; at least 1. */
  readonly maxMapcount: number;
}

/** What the return of one task to user space came to. */
export interface AutoMigrated {
  /** The node of the task's CPU at that moment. */
  readonly node: NodeId;
  readonly lazy: boolean;
  /** Pages that were not on it, in areas under the default policy. */
  readonly looked: number;
  /** Isolated: mapped no more often than allowed. */
  readonly selected: number;
}

export interface AutoMigrateParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly zones: Zones;
  readonly lazy: Lazy;
  readonly migratePages: MigratePages['migratePages'];
  readonly meter: Meter;
  readonly zeroPage: Pfn;
  readonly defaultPolicy: Mempolicy;
  readonly lookup: PolicyLookup;
  readonly target: MisplacedTarget;
}

/** Automatic migration: patch series AutoPage Migration V0.1 and V0.2, Schermerhorn, 2006 (not merged). */
export interface AutoMigrate {
  /** The scheduler has given the task a CPU on another node than the one before. Kernel: check_internode_migration(). */
  assigned(task: Task): void;
  /**
   * Whether wake-up and load balancing may give the task a CPU on another node: not while a migration is pending, and not before
   * the interval since the last one is over (hysteresis). An affinity change does not ask. Kernel: too_soon_for_internode_migration().
   */
  mayLeaveNode(task: Task, nowNs: number): boolean;
  /**
   * On the way back to user space, if something is pending: pages of the task's address space that are not on the node of its CPU
   * *now* (DM-60) move there or are unmapped, from areas whose effective policy is the default.
   * The task pays, on the running clock. Kernel: check_migrate_pending(), auto_migrate_task_memory().
   * @returns null if nothing was to be done
   */
  returnToUser(task: Task): AutoMigrated | null;
  /** Writes a file of /sys/kernel/migration; values out of range are clipped. @returns false: no such file */
  write(name: string, value: number): boolean;
  /** Reads one: `auto_migrate_interval 30`. */
  show(name: Control): string;
}

const [LEAST_INTERVAL, MOST_INTERVAL] = [5, 300];

/** @param initial null: off, as the kernel starts */
export function makeAutoMigrate(parts: AutoMigrateParts, initial: AutoMigrateSettings | null): AutoMigrate {
  const { frames, tables, lru, zones, lazy, meter, zeroPage, defaultPolicy, lookup, target } = parts;
  const controls: Record<Control, number> = {
    auto_migrate_enable: 0,
    auto_migrate_interval: 30,
    migrate_max_mapcount: 1,
    auto_migrate_lazy: 0,
  };

  function set(name: Control, value: number): void {
    if (name === 'auto_migrate_interval') controls[name] = Math.min(MOST_INTERVAL, Math.max(LEAST_INTERVAL, value));
    else if (name === 'migrate_max_mapcount') controls[name] = Math.max(1, value);
    else controls[name] = value === 0 ? 0 : 1;
  }

  function hasDefaultPolicy(task: Task, vma: Vma): boolean {
    const policy = lookup.ofVma(task, vma, 0);
    return policy === null || policy.definition === defaultPolicy.definition;
  }

  /** Isolates what is to move. Kernel: check_range() with MPOL_MF_MOVE and the node inverted. */
  function select(task: Task, node: NodeId, queued: Pfn[]): number {
    let looked = 0;
    for (const vma of task.space.vmas) {
      if (vma.isLocked || !hasDefaultPolicy(task, vma)) continue;
      for (let vpn = vma.start; vpn < vma.end; vpn++) {
        const page = tables.walk(vma.space.root, vpn);
        if (page === NO_PAGE || !tables.isPresent(page)) continue;
        meter.pay(ACCOUNT_MIGRATION, PRICE.scanPage);
        const pfn = tables.word[page] as Pfn;
        if (pfn === zeroPage || frames.nodeOf(pfn) === node) continue;
        looked++;
        const head = frames.headOf(pfn); // K-H11: any of its pages stands for a huge page
        if (frames.mapcount(pfn) <= controls.migrate_max_mapcount && lru.isolate(head)) queued.push(head);
      }
    }
    return looked;
  }

  function move(task: Task, node: NodeId, queued: readonly Pfn[]): void {
    const { mems } = task.cpuset;
    const newPage = (old: Pfn): Pfn => {
      if (!frames.isHuge(old)) return target.allocate(zones, node, null, mems, node);
      return mems[node] === 0 ? NO_PFN : zones.takeHugeFromNode(node, MARK_LOW, node); // HP-60
    };
    parts.migratePages(queued, newPage, task.cpu);
    lru.drainAll();
  }

  if (initial !== null) {
    set('auto_migrate_enable', 1);
    set('auto_migrate_lazy', initial.lazy ? 1 : 0);
    set('auto_migrate_interval', initial.intervalS);
    set('migrate_max_mapcount', initial.maxMapcount);
  }

  return {
    assigned(task) {
      if (controls.auto_migrate_enable !== 0) task.migratePending = true;
    },
    mayLeaveNode: (task, nowNs) =>
      controls.auto_migrate_enable === 0 || (!task.migratePending && nowNs >= task.migrateNextNs),
    returnToUser(task) {
      if (!task.migratePending) return null;
      task.migratePending = false;
      if (controls.auto_migrate_enable === 0) return null;
      const { node } = task;
      task.migrateNextNs = meter.nowNs + controls.auto_migrate_interval * 1e9;
      meter.pay(ACCOUNT_MIGRATION, PRICE.moveCall);
      lru.drainAll();
      const queued: Pfn[] = [];
      const looked = select(task, node, queued);
      const isLazy = controls.auto_migrate_lazy !== 0;
      if (isLazy) lazy.unmapPages(task, queued);
      else move(task, node, queued);
      return { node, lazy: isLazy, looked, selected: queued.length };
    },
    write(name, value) {
      const control = MIGRATION_CONTROLS.find((known) => known === name);
      if (control === undefined) return false;
      set(control, value);
      return true;
    },
    show: (name) => `${name} ${String(controls[name])}`,
  };
}

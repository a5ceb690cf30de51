import type { AutoMigrateSettings, KhugepagedSettings } from '../balance/index.js';
import type { CostModel } from '../cost/index.js';
import type { FaultSwitches } from '../fault/index.js';
import type { MachineDescription } from '../hardware/index.js';
import type { DeviceOptions, HugeSettings } from '../mm/index.js';
import type { BalancerDefinition, OptionValues, PolicyDefinition } from '../policy/index.js';
import type { ReclaimSysctls } from '../reclaim/index.js';
import type { Tracer } from '../stats/index.js';
import type { Pfn } from '../units.js';
import type { Rules } from './profiles/index.js';

/** Everything about a machine that is not a rule, a policy or a cost. Plain data. */
export interface MachineOptions {
  readonly machine: MachineDescription;
  readonly switches: FaultSwitches;
  /** Swap slots; undefined: as many as frames. */
  readonly swapPages?: number;
  /** Pages that will be mapped, about: there is room for their tables from the start, beyond the usual 16 GiB. */
  readonly expectedPages?: number;
  /** vm.min_free_kbytes; undefined: computed from the memory (RC-1). */
  readonly minFreeKbytes?: number;
  /** Keep a content stamp per frame (tests, INV-13); `pages`: and 4 KiB (benchmarks). */
  readonly keepContents?: boolean | 'pages';
  /** The swap device is a RAM disk: writes end at once. */
  readonly writesAtOnce?: boolean;
  /** ... and the kernel knows it: it reads what one entry alone names without the swap cache. */
  readonly readsAtOnce?: boolean;
  /** Device memory beyond the nodes': a named pool of frames each, which `makeDeviceDriver` puts to use. */
  readonly devices?: readonly DeviceOptions[];
  readonly sysctls?: Partial<ReclaimSysctls>;
  /** log2 of the sets of each CPU's TLB; undefined: that of a processor of today. */
  readonly tlbSetBits?: number;
  /** Pages of a memory block; undefined: as the memory's size asks for (HR-1). */
  readonly memoryBlockPages?: number;
  /** Huge pages, and the settings they start with; undefined: the machine has none. */
  readonly thp?: Partial<HugeSettings>;
  /** Settings of khugepaged, which does nothing unless it is called: `machine.khugepaged.runUntil(ns)`. */
  readonly khugepaged?: Partial<KhugepagedSettings>;
  readonly seed?: number;
  /** Automatic migration from the start; null or undefined: off, to be switched on under /sys/kernel/migration. */
  readonly autoMigrate?: AutoMigrateSettings | null;
  /** Who moves pages over time; undefined: nobody. */
  readonly balancer?: { readonly definition: BalancerDefinition; readonly options: OptionValues };
  /** M4: refuses moves; for tests of that exit. */
  readonly refuseMove?: (pfn: Pfn, target: number) => boolean;
}

/** What compose.ts hands in: the bound parts. */
export interface MachineParts {
  readonly options: MachineOptions;
  readonly rules: Rules;
  readonly cost: CostModel;
  readonly defaultPolicy: PolicyDefinition;
  readonly tracer: Tracer | null;
}

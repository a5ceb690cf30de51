import { EAGAIN } from '../errors.js';
import type { PageTables } from '../hardware/index.js';
import type { DeviceMemory, Frames, Lru } from '../mm/index.js';
import { C, type Counters, type Tracer } from '../stats/index.js';
import type { Pfn } from '../units.js';
import type { FaultState } from './fault-state.js';
import { MINOR, RETRY, SIGBUS, type Outcome } from './outcome.js';

export interface DeviceFaultParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly lru: Lru;
  readonly devices: DeviceMemory;
  /** [6.1] The fault holds a reference while the driver works, and the driver names the page as its fault page. */
  readonly holdsReference: boolean;
  readonly counters: Counters;
  readonly tracer: Tracer | null;
}

export interface DeviceFault {
  /**
   * An entry that shows a page of a device: its driver brings the page back (MV section 1, section 2). RETRY: somebody else has it in
   * hands. Kernel: the device-private part of do_swap_page(), mm/memory.c.
   */
  doDevicePage(f: FaultState): Outcome;
}

export function makeDeviceFault(parts: DeviceFaultParts): DeviceFault {
  const { frames, tables, lru, devices, holdsReference, counters, tracer } = parts;
  return {
    doDevicePage(f) {
      const pfn = tables.word[f.page] as Pfn;
      const { driver } = devices.poolOf(pfn);
      if (tracer !== null) tracer.step('V-fault', pfn, -1);
      if (driver === null) return SIGBUS;
      if (holdsReference) frames.get(pfn);
      const result = driver.migrateToRam(f.task, f.vma, f.vma.start + f.offset, pfn);
      if (holdsReference) lru.put(pfn);
      if (result === -EAGAIN) return RETRY;
      if (result !== 0) return SIGBUS;
      counters.inc(C.fault_device);
      return MINOR;
    },
  };
}

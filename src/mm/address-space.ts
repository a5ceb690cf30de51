import type { CpuId } from '../units.js';
import { VmaList } from './vma-list.js';
import type { Vma } from './vma.js';

/** One process's memory: its vmas in order of address, its page-table root, its rss. Kernel: mm_struct. */
export class AddressSpace {
  readonly vmas = new VmaList();
  /** Present entries by kind, and entries that are swap slots (INV-11). */
  rssAnon = 0;
  rssFile = 0;
  rssShmem = 0;
  swapEntries = 0;
  /** Threads that are alive. Kernel: mm_users */
  threads = 0;
  /**
   * Somebody holds the lock of its page tables over several steps: who changes entries from another address space waits.
   * (The model's other steps take and release it within one.)
   */
  tablesHeld = false;
  /** khugepaged goes through it. */
  isSeen = false;
  /** CPUs it has run on: those whose TLB may know it. One bit per CPU. */
  readonly cpus: Int32Array;

  constructor(
    readonly id: number,
    readonly root: number,
    cpuCount: number,
  ) {
    this.cpus = new Int32Array((cpuCount + 31) >> 5);
  }

  /** Kernel: get_mm_rss() */
  get residentPages(): number {
    return this.rssAnon + this.rssFile + this.rssShmem;
  }

  ranOn(cpu: CpuId): void {
    this.cpus[cpu >> 5] |= 1 << (cpu & 31);
  }

  /** The lowest CPU it has run on. */
  get firstCpu(): CpuId {
    const word = this.cpus.findIndex((bits) => bits !== 0);
    return (word < 0 ? 0 : (word << 5) + 31 - Math.clz32(this.cpus[word] & -this.cpus[word])) as CpuId;
  }

  /** The area that has the page, or null. Kernel: vma_lookup() */
  find(vpn: number): Vma | null {
    const vma = this.vmas.endingAfter(vpn);
    return vma !== undefined && vma.start <= vpn ? vma : null;
  }
}

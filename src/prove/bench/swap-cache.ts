import type { PageId } from '../../units.js';
import type { Bed } from './bed.js';
import { mustHold, type Case } from './case.js';

/**
 * Swap-cache faults: pages that were unmapped lazily are read once each by their threads. They lie where their policy wants them,
 * or, `misplaced`, elsewhere: then each fault moves its page.
 */
export function swapCacheFaults(bed: Bed, misplaced: boolean): Case {
  const { machine, tasks, touchTask, touchId, pages } = bed;
  const { access, counters } = machine;
  let at = 0;
  let made = 0;
  // A round beforehand: what it touches for the first time the system gives only now.
  bed.place(misplaced);
  bed.unmapLazily();
  finish();
  return {
    prepare(count) {
      if (at + count <= pages) return;
      mustHold(count <= pages, `${String(pages)} pages are too few for ${String(count)} faults`);
      finish();
      if (misplaced) bed.place(true);
      bed.unmapLazily();
      at = 0;
    },
    run(count) {
      let i = at;
      for (const end = i + count; i < end; i++) access(tasks[touchTask[i]], touchId[i] as PageId, false);
      at = i;
      made += count;
    },
    verify() {
      const faulted = counters.get('fault_swap');
      mustHold(faulted === made, `${String(faulted)} swap-cache faults, ${String(made)} accesses`);
      mustHold(counters.get('fault_swap_major') === 0, 'pages were read from the device');
      const moved = counters.get('mof_migrate_done');
      mustHold(moved === (misplaced ? made : 0), `${String(moved)} of ${String(made)} pages were migrated`);
    },
  };

  /** Pages of the last round that nobody came to: only all of them together can be unmapped again. */
  function finish(): void {
    made += pages - at;
    for (; at < pages; at++) access(tasks[touchTask[at]], touchId[at] as PageId, false);
  }
}

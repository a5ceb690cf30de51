import type { Task, Vma } from '../mm/index.js';
import { NO_PAGE, NO_PFN, NO_SLOT } from '../units.js';
import { MINOR } from './outcome.js';

/** One fault on its way through a handler. The straight driver refills one; the table driver has one per actor. */
export class FaultState {
  task: Task;
  vma: Vma;
  /** Page within the area, and its entry in the page tables. */
  offset = 0;
  page = NO_PAGE;
  isWrite = false;
  /** The page that was found or made, once there is one. */
  pfn = NO_PFN;
  slot = NO_SLOT;
  /** A swap slot that is read belongs to the area's shmem object, not to a private entry. */
  readsObject = false;
  /** The page read from swap is in no cache: only this fault knows it. */
  isAlone = false;
  /** How often the fault let go of everything to wait for a file, and was taken again. */
  waits = 0;
  /** Set aside for the copy of a file's page, before that page was looked for (rule variant `copyOrder`). */
  copy = NO_PFN;
  outcome = MINOR;
  /** Next step for the table driver. */
  next = 0;

  constructor(task: Task, vma: Vma) {
    this.task = task;
    this.vma = vma;
  }
}

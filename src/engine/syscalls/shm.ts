import {
  cachedFrame,
  PG_MLOCKED,
  PG_UNEVICTABLE,
  type FileObject,
  type Frames,
  type Lru,
  type Task,
} from '../../mm/index.js';
import { NO_PFN } from '../../units.js';
import type { Punch } from './punch.js';

export interface ShmParts {
  readonly frames: Frames;
  readonly lru: Lru;
  readonly punch: Punch;
}

/** SysV shared memory is a shmem object; what shmctl(2) does to one. */
export interface ShmCalls {
  /** SHM_LOCK, SHM_UNLOCK: no page of the object is evicted any more, or may be again. Faults nothing in. Kernel: shmem_lock(). */
  lock(file: FileObject, locks: boolean): void;
  /** IPC_RMID when nobody has it attached any more: its pages, its swap slots and its policies go. */
  destroy(task: Task, file: FileObject): void;
}

export function makeShmCalls({ frames, lru, punch }: ShmParts): ShmCalls {
  return {
    lock(file, locks) {
      file.isUnevictable = locks;
      lru.drainAll();
      for (let index = 0; index < file.sizePages; index++) {
        const pfn = cachedFrame(file, index);
        if (pfn === NO_PFN || frames.has(pfn, PG_MLOCKED)) continue;
        const isListed = frames.isOnLru(pfn);
        if (isListed) lru.remove(pfn);
        if (locks) frames.set(pfn, PG_UNEVICTABLE);
        else frames.clear(pfn, PG_UNEVICTABLE);
        if (isListed) lru.addToHead(pfn);
      }
    },
    destroy(task, file) {
      punch(task, file, 0, file.sizePages);
      file.dropPolicies();
    },
  };
}

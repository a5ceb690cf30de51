import type { Calls, Hook, Machine } from '../engine/index.js';
import type { FileObject, Task } from '../mm/index.js';
import type { NodeId } from '../units.js';

/** What is known of a real file: the model reads its size and never its contents. */
export interface FoundFile {
  /** The same for two paths of one file. */
  readonly id: string;
  readonly bytes: number;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

/** What a session needs of the program around it. */
export interface Host {
  /** Results, and mistakes: each piece whole lines. */
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Looks at a real file. @returns the name of an errno value if it cannot be opened */
  readonly findFile: (path: string) => FoundFile | string;
}

/** What all processes of a session share: the machine, its calls, files by identity, and the next process id. */
export class World {
  private readonly files = new Map<string, FileObject>();
  /** Objects that go once nobody maps them any more. */
  private readonly doomed = new Set<FileObject>();
  private lastPid = FIRST_PID - 1;
  /** Steps are printed as they are taken. */
  isTracing = false;

  constructor(
    readonly machine: Machine,
    readonly calls: Calls,
    readonly host: Host,
    /** Bits of a node mask as libnuma passes it. */
    readonly maskWidth: number,
    /** Migrate-on-fault hooks of the profile. */
    readonly hooks: readonly Hook[],
    /** Sentences: values of the machine that nobody measured on it. */
    readonly assumed: readonly string[],
  ) {}

  newPid(): number {
    return ++this.lastPid;
  }

  /** The object behind a real file: one for all who open it. */
  fileObject(found: FoundFile, path: string): FileObject {
    const known = this.files.get(found.id);
    if (known !== undefined) return known;
    const object = this.machine.files.create('file', path, Math.ceil(found.bytes / 4096));
    this.files.set(found.id, object);
    return object;
  }

  /** Shared memory that is removed, or that has no name: it lives as long as it is mapped. */
  doom(object: FileObject): void {
    this.doomed.add(object);
  }

  /** A mapping of the object has gone. */
  release(task: Task, object: FileObject): void {
    if (!this.doomed.has(object) || object.vmas.size > 0) return;
    this.doomed.delete(object);
    this.calls.shm.destroy(task, object);
  }

  get highestNode(): number {
    return this.machine.topology.nodeCount - 1;
  }

  allNodes(): NodeId[] {
    return [...this.machine.topology.allNodes()];
  }
}

/** Process ids count from here, so that the same script prints the same ones. */
const FIRST_PID = 100;

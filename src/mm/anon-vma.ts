import { VM_EXEC, VM_READ, VM_WRITE, type Vma } from './vma.js';

/** So many vmas are looked through. */
const FEW = 8;
const ACCESS = VM_READ | VM_WRITE | VM_EXEC;

/**
 * The vmas in which the anonymous pages of one family of mappings can be: a vma, what it was split into, and what its
 * forks inherited. A frame's index counts from `base`, so that it stays a small integer. Kernel: struct anon_vma.
 */
export class AnonVma {
  readonly vmas = new Set<Vma>();
  /** All in one address space, and no page ever moved to another address: then an index says where it could be mapped. */
  private isPlain = true;

  constructor(
    readonly id: number,
    readonly base: number,
  ) {}

  add(vma: Vma): void {
    for (const other of this.vmas) {
      if (other.space !== vma.space) this.isPlain = false;
      break;
    }
    if (vma.pgoff !== vma.start) this.isPlain = false;
    this.vmas.add(vma);
  }

  /** The vmas that could map the page with this index; more than those in families that were forked or moved. */
  around(index: number): Iterable<Vma> {
    if (!this.isPlain || this.vmas.size <= FEW) return this.vmas;
    const [{ space }] = this.vmas;
    const found = space.find(this.base + index);
    return found?.anonVma === this ? [found] : [];
  }
}

/** All of them, by id; a page's mapping word is minus the id. */
export class AnonVmas {
  private readonly table = new Map<number, AnonVma>();
  private lastId = 0;
  private lastToken = 0;

  /** A forked area starts a family line of its own for joining, while its pages stay where they are. */
  forked(vma: Vma): void {
    vma.anonToken = ++this.lastToken;
    vma.isForked = true;
  }

  /** Gives the vma an anon_vma if it has none. Kernel: anon_vma_prepare(). */
  prepare(vma: Vma): AnonVma {
    if (vma.anonVma !== null) return vma.anonVma;
    const neighbour = reusable(vma);
    if (neighbour !== null && neighbour.anonVma !== null) {
      vma.anonToken = neighbour.anonToken;
      this.join(vma, neighbour.anonVma);
      return neighbour.anonVma;
    }
    vma.anonToken = ++this.lastToken;
    const anon = new AnonVma(++this.lastId, vma.pgoff);
    this.table.set(anon.id, anon);
    this.join(vma, anon);
    return anon;
  }

  /** Adds a vma (a fork, a part after a split) to an existing family. */
  join(vma: Vma, anon: AnonVma): void {
    vma.anonVma = anon;
    vma.anonIndex = vma.pgoff - anon.base;
    anon.add(vma);
  }

  /** The vma goes away; an anon_vma without vmas is forgotten. */
  leave(vma: Vma): void {
    const anon = vma.anonVma;
    if (anon === null) return;
    anon.vmas.delete(vma);
    vma.anonVma = null;
    if (anon.vmas.size === 0) this.table.delete(anon.id);
  }

  get(id: number): AnonVma | undefined {
    return this.table.get(id);
  }
}

/** A neighbour that differs at most in its protection, and whose anonymous pages are nobody else's. Kernel: find_mergeable_anon_vma(). */
function reusable(vma: Vma): Vma | null {
  const { vmas } = vma.space;
  const isReusable = (a: Vma | undefined, b: Vma | undefined, other: Vma | undefined): boolean =>
    a !== undefined &&
    b !== undefined &&
    other !== undefined &&
    other.anonVma !== null &&
    !other.isForked &&
    a.end === b.start &&
    a.file === b.file &&
    (a.policy === b.policy || (a.policy !== null && a.policy.equals(b.policy))) &&
    ((a.flags ^ b.flags) & ~ACCESS) === 0 &&
    a.pgoff + a.pages === b.pgoff;
  const [previous, next] = [vmas.before(vma), vmas.after(vma)];
  if (isReusable(vma, next, next)) return next ?? null;
  return isReusable(previous, vma, previous) ? (previous ?? null) : null;
}

import type { Vma } from './vma.js';

/**
 * The vmas in which the anonymous pages of one family of mappings can be: a vma, what it was split into, and what its
 * forks inherited. A frame's index counts from `base`, so that it stays a small integer. Kernel: struct anon_vma.
 */
export class AnonVma {
  readonly vmas = new Set<Vma>();

  constructor(
    readonly id: number,
    readonly base: number,
  ) {}
}

/** All of them, by id; a page's mapping word is minus the id. */
export class AnonVmas {
  private readonly table = new Map<number, AnonVma>();
  private lastId = 0;

  /** Gives the vma an anon_vma if it has none. Kernel: anon_vma_prepare(). */
  prepare(vma: Vma): AnonVma {
    if (vma.anonVma !== null) return vma.anonVma;
    const anon = new AnonVma(++this.lastId, vma.pgoff);
    this.table.set(anon.id, anon);
    this.join(vma, anon);
    return anon;
  }

  /** Adds a vma (a fork, a part after a split) to an existing family. */
  join(vma: Vma, anon: AnonVma): void {
    vma.anonVma = anon;
    vma.anonIndex = vma.pgoff - anon.base;
    anon.vmas.add(vma);
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

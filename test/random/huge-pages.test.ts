import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { VM_READ, VM_WRITE, type Task } from '../../src/mm/index.js';
import { Random } from '../../src/random.js';
import type { CounterName } from '../../src/stats/index.js';
import { asNodeId, type Pfn } from '../../src/units.js';
import { BIND, callsBed, INTERLEAVE, LAZY, MAXNODE, mbind, MOVE, MOVE_ALL, type CallsBed } from '../support/calls.js';
import { processOn } from '../support/tiny-machine.js';

// Random programs on a machine with huge pages: nothing written is lost, nobody sees another's, and the invariants hold (INV-1..INV-14).

const RW = VM_READ | VM_WRITE;
const NODES = 3;
const STEPS = 200;
const PROFILES = ['linux-6.1', 'linux-6.12', 'mof'];
const SEEDS = 3;

/** What the programs must have done. */
const WANTED: readonly CounterName[] = [
  ...([
    'thp_fault_alloc',
    'thp_zero_page_alloc',
    'thp_split_pmd',
    'thp_split_page',
    'thp_deferred_split_page',
  ] as const),
  ...(['thp_migration_success', 'thp_migration_split', 'fault_cow', 'pswpout', 'fault_write_in_place'] as const),
];

interface Actor {
  readonly task: Task;
  /** What each page should hold, by page number; not in it: zeros. */
  readonly holds: Map<number, number>;
}

class Program {
  private readonly actors: Actor[] = [];
  private stamp = 0;
  private isOffline = false;

  constructor(
    private readonly bed: CallsBed,
    private readonly random: Random,
    private readonly isMof: boolean,
  ) {
    this.start();
  }

  step(): void {
    const operations = [
      ...[() => this.touch(true), () => this.touch(true), () => this.touch(false), () => this.map(), () => this.map()],
      ...[() => this.discard(), () => this.unmap(), () => this.fork(), () => this.exit(), () => this.protect()],
      ...[() => this.advise(), () => this.advise(), () => this.remap(), () => this.bind(), () => this.move()],
      ...[() => this.migrate(), () => this.lock(), () => this.limit(), () => this.swapOut(), () => this.offline()],
    ];
    operations[this.random.below(operations.length)]();
    this.bed.machine.lru.drainAll();
    checkMachine(this.bed.machine);
  }

  /** Every page of everybody, read. */
  compare(): void {
    for (const actor of this.actors) {
      for (const vma of actor.task.space.vmas) {
        if ((vma.flags & VM_READ) === 0) continue;
        for (let vpn = vma.start; vpn < vma.end; vpn += 1 + this.random.below(7)) this.read(actor, vpn);
      }
    }
  }

  private read({ task, holds }: Actor, vpn: number): void {
    const { machine } = this.bed;
    const pfn = machine.touch(task, vpn, false);
    if (pfn > 0)
      expect(machine.contents?.get(pfn), `page ${String(vpn)} of ${String(task.id)}`).toBe(holds.get(vpn) ?? 0);
  }

  private write({ task, holds }: Actor, vpn: number): void {
    const { machine } = this.bed;
    const pfn: Pfn = machine.touch(task, vpn, true);
    if (pfn <= 0) return;
    expect(machine.contents?.get(pfn)).toBe(holds.get(vpn) ?? 0);
    machine.contents?.set(pfn, ++this.stamp);
    holds.set(vpn, this.stamp);
  }

  private start(): void {
    const task = processOn(this.bed.machine, this.random.below(NODES));
    this.actors.push({ task, holds: new Map() });
    this.map();
  }

  private one(): Actor {
    return this.actors[this.random.below(this.actors.length)];
  }

  /** A range of one of an actor's areas, often with borders of blocks. */
  private range(): { actor: Actor; start: number; pages: number } | null {
    const actor = this.one();
    const vmas = [...actor.task.space.vmas];
    if (vmas.length === 0) return null;
    const vma = vmas[this.random.below(vmas.length)];
    const snap = (vpn: number) => (this.random.below(2) === 0 ? Math.round(vpn / 512) * 512 : vpn);
    const [a, b] = [0, 0].map(() => snap(vma.start + this.random.below(vma.pages + 1)));
    const start = Math.max(vma.start, Math.min(a, b));
    const end = Math.min(vma.end, Math.max(a, b, start + 1));
    return end > start ? { actor, start, pages: end - start } : null;
  }

  private touch(isWrite: boolean): void {
    const range = this.range();
    if (range === null) return;
    const { actor, start, pages } = range;
    const stride = 1 + this.random.below(150);
    for (let vpn = start; vpn < start + pages; vpn += stride) {
      if (isWrite) this.write(actor, vpn);
      else this.read(actor, vpn);
    }
  }

  private freePlace({ task }: Actor): number {
    const end = task.space.vmas.last?.end ?? 512;
    return end + this.random.below(3) * 100 + (this.random.below(2) === 0 ? 512 - (end % 512) : 0);
  }

  /** A new area, in which at once something is read or written; the oldest goes when there is too much. */
  private map(): void {
    const actor = this.one();
    const pages = 700 + this.random.below(1800);
    for (const vma of [...actor.task.space.vmas]) {
      const mapped = [...actor.task.space.vmas].reduce((sum, each) => sum + each.pages, pages);
      if (mapped > 8000) this.unmapRange(actor, vma.start, vma.pages);
    }
    const vpn = this.freePlace(actor);
    this.bed.calls.areas.mmap(actor.task, {
      ...{ vpn, pages, flags: RW, file: null, filePage: 0, populate: false, name: '' },
    });
    const reads = this.random.below(3) === 0;
    for (let at = vpn; at < vpn + pages; at += 1 + this.random.below(100)) {
      if (reads) this.read(actor, at);
      else this.write(actor, at);
    }
  }

  private forget({ holds }: Actor, start: number, pages: number): void {
    for (let vpn = start; vpn < start + pages; vpn++) holds.delete(vpn);
  }

  private discard(): void {
    const range = this.range();
    if (range === null) return;
    const ret = this.bed.calls.advice.madvise(range.actor.task, range.start, range.pages, 'dontneed');
    if (ret === 0) this.forget(range.actor, range.start, range.pages);
  }

  private unmap(): void {
    const range = this.range();
    if (range === null || range.pages > 700) return;
    this.unmapRange(range.actor, range.start, range.pages);
  }

  private unmapRange(actor: Actor, start: number, pages: number): void {
    this.bed.calls.areas.munmap(actor.task, start, pages);
    this.forget(actor, start, pages);
  }

  private fork(): void {
    if (this.actors.length === 3) return;
    const { task, holds } = this.one();
    this.actors.push({ task: this.bed.machine.process.fork(task, task.cpu), holds: new Map(holds) });
  }

  private exit(): void {
    if (this.actors.length === 1) return;
    const [{ task }] = this.actors.splice(this.random.below(this.actors.length), 1);
    this.bed.machine.process.exit(task);
  }

  private protect(): void {
    const range = this.range();
    if (range === null) return;
    const flags = this.random.below(3) === 0 ? VM_READ : RW;
    this.bed.calls.areas.mprotect(range.actor.task, range.start, range.pages, flags);
  }

  private advise(): void {
    const range = this.range();
    const advice = ['cold', 'pageout', 'hugepage', 'nohugepage', 'populate_write', 'hugepage', 'cold', 'pageout'][
      this.random.below(8)
    ];
    if (range !== null) this.bed.calls.advice.madvise(range.actor.task, range.start, range.pages, advice);
  }

  private remap(): void {
    const range = this.range();
    if (range === null) return;
    const { actor, start, pages } = range;
    const to = this.freePlace(actor);
    if (this.bed.calls.areas.mremap(actor.task, start, pages, pages, to) !== 0) return;
    for (let i = 0; i < pages; i++) {
      const held = actor.holds.get(start + i);
      if (held !== undefined) actor.holds.set(to + i, held);
    }
    this.forget(actor, start, pages);
  }

  private bind(): void {
    const range = this.range();
    if (range === null) return;
    const { actor, start, pages } = range;
    const mode = this.random.below(2) === 0 ? BIND : INTERLEAVE;
    const flags = this.isMof && this.random.below(2) === 0 ? MOVE | LAZY : [0, MOVE, MOVE_ALL][this.random.below(3)];
    mbind({ calls: this.bed.calls, task: actor.task }, start, pages, mode, [this.random.below(NODES), 2], flags);
  }

  private move(): void {
    const range = this.range();
    if (range === null) return;
    const { actor, start, pages } = range;
    const vpns = Array.from({ length: Math.ceil(pages / 97) }, (_, i) => start + i * 97);
    const nodes = vpns.map(() => this.random.below(NODES));
    this.bed.calls.pages.movePages(
      actor.task,
      actor.task,
      vpns,
      nodes,
      MOVE_ALL,
      vpns.map(() => null),
    );
  }

  private migrate(): void {
    const { task } = this.one();
    const from = this.random.below(NODES);
    this.bed.calls.pages.migratePages(task, task, [from], [(from + 1) % NODES], MAXNODE);
  }

  private lock(): void {
    const range = this.range();
    if (range === null || range.pages > 600) return;
    this.bed.calls.areas.mlock(range.actor.task, range.start, range.pages, this.random.below(2) === 0);
  }

  private limit(): void {
    const left = [null, null, null, 0, 1][this.random.below(5)];
    this.bed.machine.zones.limitHuge(asNodeId(this.random.below(NODES)), left);
  }

  private swapOut(): void {
    if (this.random.below(8) !== 0) return;
    const { task } = this.one();
    this.bed.calls.swap.swapOutProcess(task, task);
  }

  private offline(): void {
    if (this.random.below(3) !== 0) return;
    const { hotplug } = this.bed.calls;
    if (this.isOffline) hotplug.onlineNode(asNodeId(1));
    else hotplug.offlineNode(asNodeId(1));
    this.isOffline = !this.isOffline;
  }
}

describe.each(PROFILES)('%s', (profile) => {
  const counted = new Map<CounterName, number>();

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))('random program with seed %i', (seed) => {
    const bed = callsBed({
      ...{ nodes: NODES, framesPerNode: 16384, profile, thp: {}, writesAtOnce: true, memoryBlockPages: 4096 },
    });
    const program = new Program(bed, new Random(seed), profile === 'mof');
    for (let i = 0; i < STEPS; i++) program.step();
    program.compare();
    checkMachine(bed.machine);
    for (const name of WANTED) counted.set(name, (counted.get(name) ?? 0) + bed.machine.counters.get(name));
  });

  it('these programs met everything that is to be tried', () => {
    for (const name of WANTED) expect(counted.get(name), name).toBeGreaterThan(0);
  });
});

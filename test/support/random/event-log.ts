import type { Machine } from '../../../src/engine/index.js';
import { bugOn } from '../../../src/errors.js';
import { MARK_HIGH, type Task } from '../../../src/mm/index.js';
import type { PolicyDefinition } from '../../../src/policy/index.js';
import { C, N, NODE_COUNTER_NAMES, type CounterName, type Tracer } from '../../../src/stats/index.js';
import { NO_PFN, type NodeId, type Pfn } from '../../../src/units.js';

/** Steps that the tracer tells of, and the counters that must say the same (INV-15). M5 has one per refusal. */
const COUNTED_STEPS: readonly (readonly [step: string, counters: readonly CounterName[]])[] = [
  ['C1', ['mof_stay_c1_mapped']],
  ['C2', ['mof_stay_c2_writeback']],
  ['C3', ['mof_stay_c3_not_uptodate']],
  ['C4', ['mof_stay_c4_no_operation']],
  ['C5', ['mof_stay_c5_no_flag']],
  ['C6', ['mof_stay_c6_well_placed', 'mof_migrate_tried']],
  ['M1-exit', ['mof_fail_m1_isolate']],
  ['M2-exit', ['mof_fail_m2_no_page']],
  ['M4-exit', ['mof_fail_m4_refused']],
  ['M5-exit', ['mof_fail_m5_no_operation', 'mof_fail_m5a_mapping', 'mof_fail_m5a_count', 'mof_fail_m5a_slot']],
  ['M9', ['mof_migrate_done']],
];
const M9 = COUNTED_STEPS.length - 1;

/**
 * What happened on a machine, seen from outside: frames handed out and to whom, answers of policies, steps of
 * migrations. Its own sums are compared with the machine's counters (INV-15); it stops an allocation outside the
 * cpuset of the task in whose name it is made (INV-18), and knows which pages had a reason to change frames (INV-16).
 */
export class EventLog implements Tracer {
  /** In whose name the machine works now. */
  task: Task | null = null;
  private watchesMems = true;
  /** Moves by the hook that asked for them. */
  readonly movesBy = { swap: 0, file: 0, shmem: 0 };
  private machine: Machine | null = null;
  private readonly steps = new Float64Array(COUNTED_STEPS.length);
  private nodeCounts = new Float64Array(0);
  private allocations = 0;
  private wantedNode = -1;
  /** Nodes that the policy asked last keeps allocations to; null: any. */
  private within: readonly NodeId[] | null = null;
  private wantsInterleave = false;
  /** Step of the program in which each frame got a page that was elsewhere before, for a reason that was logged. */
  private reasons = new Int32Array(0);
  private now = 0;
  /** Pages whose contents went to a locked page that replaces them: moves of every kind. */
  private moves = 0;

  /** The policy, and this log told of each node it asks for. */
  watch(definition: PolicyDefinition): PolicyDefinition {
    const isInterleave = definition.name === 'interleave';
    return {
      ...definition,
      create: (context) => {
        const { place, misplaced } = definition.create(context);
        return {
          misplaced,
          place: (fault) => {
            const node = place(fault);
            this.wantedNode = node;
            this.wantsInterleave = isInterleave;
            this.within = definition.fallback === 'within' ? context.nodes : null;
            return node;
          },
        };
      },
    };
  }

  step(name: string, page: number): void {
    const at = STEP_INDEX[name];
    if (at === undefined) return;
    this.steps[at]++;
    if (at === M9) this.countMove(page as Pfn);
  }

  who(): void {
    // the program knows who acts
  }

  enter(): void {
    // faults and calls are not counted here
  }

  leave(): void {
    // nor their ends
  }

  /** Puts this log between the machine and its free frames. */
  attach(machine: Machine): void {
    this.machine = machine;
    const { zones, frames, swap, pageCache, topology, counters, contents } = machine;
    const { nodeCount } = topology;
    this.nodeCounts = new Float64Array(nodeCount * NODE_COUNTER_NAMES.length);
    this.reasons = new Int32Array(frames.capacity);
    this.allocations = counters.get('pgalloc_normal');
    const takeFromRow = zones.takeFromRow.bind(zones);
    zones.takeFromRow = (start, mask, allowed, mark, cpuNode) => {
      const pfn = takeFromRow(start, mask, allowed, mark, cpuNode);
      if (pfn !== NO_PFN) this.allocated(frames.nodeOf(pfn), zones.firstInRow(start, mask, allowed), cpuNode);
      return pfn;
    };
    const takeFromNode = zones.takeFromNode.bind(zones);
    zones.takeFromNode = (node, mark, cpuNode) => {
      this.wantedNode = -1;
      const pfn = takeFromNode(node, mark, cpuNode);
      if (pfn !== NO_PFN) this.allocated(frames.nodeOf(pfn), node, cpuNode);
      return pfn;
    };
    const insert = swap.insert.bind(swap);
    swap.insert = (slot, pfn) => {
      insert(slot, pfn);
      this.reasons[pfn] = this.now;
    };
    if (contents !== null) {
      const copy = contents.copy.bind(contents);
      contents.copy = (to, from) => {
        copy(to, from);
        // A driver copies what its device gets or gives itself, and whether it moves shows later.
        if (frames.isLocked(to) && !frames.isDevice(to) && !frames.isDevice(from)) this.moves++;
        this.reasons[to] = this.now;
      };
    }
    const add = pageCache.add.bind(pageCache);
    pageCache.add = (file, index, pfn) => {
      add(file, index, pfn);
      this.reasons[pfn] = this.now;
    };
  }

  /** Somebody works for several tasks, whose nodes differ, or for none: no policy is asked, no cpuset holds. */
  inNobodysName<T>(work: () => T): T {
    this.watchesMems = false;
    this.wantedNode = -1;
    const result = work();
    this.watchesMems = true;
    return result;
  }

  /** A new step of the program begins, in the name of a task or of nobody. */
  begin(step: number, task: Task | null): void {
    this.now = step;
    this.wantedNode = -1;
    this.task = task;
  }

  /**
   * Out of memory is true only if no node has room that task and policy may use; nodes that the task may not use are none (MP-24).
   *
   * @param given frames that the access had taken and gave back since
   */
  outOfMemory(task: Task, given = 0): void {
    const { zones, topology } = this.machine as Machine;
    const allowed = topology.nodesWithMemory().filter((node) => task.cpuset.mems[node] !== 0);
    const bound = allowed.filter((node) => this.within?.includes(node) !== false);
    for (const node of bound.length > 0 ? bound : allowed) {
      bugOn(
        zones.free(node) > zones.mark(node, MARK_HIGH) + given,
        'INV-18: out of memory with room on an allowed node',
        node,
      );
    }
  }

  /** INV-16: a page of a process or an object is found in another frame than before this step. */
  moved(before: Pfn, now: Pfn): void {
    const { frames } = this.machine as Machine;
    if (frames.nodeOf(before) === frames.nodeOf(now) || this.reasons[now] === this.now) return;
    bugOn(true, 'INV-16: a page changed nodes without a migration, a swap-in, a read or a copy, frame now', now);
  }

  /** INV-15. */
  check(): void {
    const { counters } = this.machine as Machine;
    const { values, ofNode } = counters;
    for (let i = 0; i < COUNTED_STEPS.length; i++) {
      let counted = 0;
      for (const counter of STEP_COUNTERS[i]) counted += values[counter];
      if (counted !== this.steps[i])
        bugOn(true, `INV-15: ${COUNTED_STEPS[i][0]} was counted ${String(counted)} times, and happened`, this.steps[i]);
    }
    bugOn(values[C.pgmigrate_success] !== this.moves, 'INV-15: pgmigrate_success and migrations differ', this.moves);
    bugOn(
      values[C.pgalloc_normal] !== this.allocations,
      'INV-15: pgalloc_normal and allocations differ',
      this.allocations,
    );
    for (let i = 0; i < this.nodeCounts.length; i++) {
      if (this.nodeCounts[i] === ofNode[i]) continue;
      const name = NODE_COUNTER_NAMES[Math.floor(i / counters.nodeCount)];
      bugOn(
        true,
        `INV-15: ${name} is ${String(ofNode[i])}, the log has ${String(this.nodeCounts[i])}, on node`,
        i % counters.nodeCount,
      );
    }
  }

  private allocated(node: NodeId, preferred: NodeId, cpuNode: NodeId): void {
    this.allocations++;
    if (this.watchesMems) {
      bugOn(this.task === null, "INV-18: a frame allocated in nobody's name, on node", node);
      bugOn(this.task?.cpuset.mems[node] === 0, "INV-18: a frame outside the task's mems_allowed, on node", node);
    }
    if (preferred === node) this.count(N.numa_hit, node);
    else {
      this.count(N.numa_miss, node);
      this.count(N.numa_foreign, preferred);
    }
    this.count(node === cpuNode ? N.numa_local : N.numa_other, node);
    if (this.wantsInterleave && this.wantedNode === (node as number)) this.count(N.numa_interleave, node);
    this.wantedNode = -1;
  }

  private count(counter: number, node: number): void {
    this.nodeCounts[counter * (this.machine?.topology.nodeCount ?? 0) + node]++;
  }

  private countMove(pfn: Pfn): void {
    const { frames, files } = this.machine as Machine;
    this.reasons[pfn] = this.now;
    if (frames.isSwapCache(pfn)) this.movesBy.swap++;
    else if (files.get(frames.mapping(pfn)).isShmem) this.movesBy.shmem++;
    else this.movesBy.file++;
  }
}

const STEP_INDEX: Readonly<Record<string, number | undefined>> = Object.fromEntries(
  COUNTED_STEPS.map(([step], i) => [step, i]),
);
const STEP_COUNTERS = COUNTED_STEPS.map(([, names]) => names.map((name) => C[name]));

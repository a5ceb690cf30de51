import { describe, expect, it } from 'vitest';
import { checkMachine, type Calls, type Machine } from '../../src/engine/index.js';
import { EBUSY, EDEADLK, EINVAL, ENODEV } from '../../src/errors.js';
import { fallbackRows, loadByOne } from '../../src/hardware/index.js';
import { cachedFrame, type Mempolicy, type NodesFlag, type Task } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { fillNode, mapShared, processWithPages } from '../support/arrange.js';
import { hotplugMachine, rowOf, type HotplugOptions } from '../support/hotplug.js';
import { freePages, memorySnapshot } from '../support/snapshot.js';
import {
  cpuOf,
  frameAt,
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  request,
  setPolicy,
  touchAll,
  unmapLazily,
} from '../support/tiny-machine.js';

// What follows when the last memory of a node goes, and when it comes back (HR-20..HR-31).

const START = 1000;
const N1 = asNodeId(1);
const MPOL_PREFERRED = 1;
const MPOL_BIND = 2;
const MPOL_INTERLEAVE = 3;
const MOVE = 1 << 1;

const nodesOf = (machine: Machine, task: Task, pages: number, start = START): number[] =>
  Array.from({ length: pages }, (_, i) => nodeAt(machine, task, start + i));

function off({ machine, calls }: { machine: Machine; calls: Calls }, node = 1): void {
  expect(calls.hotplug.offlineNode(asNodeId(node))).toMatchObject({ ret: 0, leftovers: [] });
  checkMachine(machine);
}

function on({ machine, calls }: { machine: Machine; calls: Calls }, node = 1): void {
  expect(calls.hotplug.onlineNode(asNodeId(node))).toBe(0);
  checkMachine(machine);
}

/** X28: four nodes at equal distances, CPUs on 0, 1 and 2. */
const X28 = { nodes: 4, cpusOfNode: [[0], [1], [2], []] };

describe('HR-20: fallback rows', () => {
  it('X28: rows at boot and after node 1 has gone; node 3, without CPUs, comes first at the same distance', () => {
    const both = hotplugMachine(X28);
    const rows = () => [0, 1, 2, 3].map((node) => rowOf(both.machine, node).join(''));
    expect(rows()).toEqual(['0123', '1230', '2301', '3012']);
    off(both);
    expect(rows()).toEqual(['032', '320', '230', '302']);
    on(both);
    // Built anew after boot, with the CPUs known.
    expect(rows()).toEqual(fallbackRows(both.machine.topology, loadByOne, true).map((row) => row.join('')));
    expect(rows()).toEqual(['0312', '1320', '2301', '3012']);
  });

  it('X28: pages of a CPU of node 1 go along its new row', () => {
    const both = hotplugMachine({ ...X28, framesPerNode: [64, 64, 64, 8] });
    off(both);
    const task = processOn(both.machine, 1);
    mapAnon(both.machine, task, START, 10);
    touchAll(both.machine, task, START, 10, true);
    expect(nodesOf(both.machine, task, 10)).toEqual([...Array<number>(8).fill(3), 2, 2]);
  });

  it('the background reclaimer of the node stops, and starts when it comes back', () => {
    const both = hotplugMachine({ nodes: 2, framesPerNode: 512, minFreeKbytes: 256 });
    const { machine } = both;
    const runs = () => {
      const before = machine.counters.get('pageoutrun');
      machine.reclaim.wakeKswapd(N1, cpuOf(machine, 0));
      return machine.counters.get('pageoutrun') - before;
    };
    fillNode(machine, 1, 2);
    expect(runs()).toBe(1);
    const other = hotplugMachine({ nodes: 2, framesPerNode: 512, minFreeKbytes: 256 });
    off(other);
    const before = other.machine.counters.get('pageoutrun');
    other.machine.reclaim.wakeKswapd(N1, cpuOf(other.machine, 0));
    expect(other.machine.counters.get('pageoutrun')).toBe(before);
    on(other);
    fillNode(other.machine, 1, 2);
    other.machine.reclaim.wakeKswapd(N1, cpuOf(other.machine, 0));
    expect(other.machine.counters.get('pageoutrun')).toBe(before + 1);
  });

  it('HR-21: the node stays, without memory: its CPU works on, with pages of others', () => {
    const both = hotplugMachine();
    const { task } = processWithPages(both.machine, 1, START, 4);
    off(both);
    expect(both.machine.zones.managed[1]).toBe(0);
    expect([task.node, both.machine.topology.hasMemory(N1), both.machine.world.hasMemory(N1)]).toEqual([
      1,
      false,
      false,
    ]);
    mapAnon(both.machine, task, START + 10, 2);
    touchAll(both.machine, task, START + 10, 2, true);
    expect(rowOf(both.machine, 1)).toEqual([3, 2, 0]);
    expect(nodesOf(both.machine, task, 2, START + 10)).toEqual([3, 3]);
    // Migrate-on-fault wants the page on node 1, and there is no frame: it stays.
    unmapLazily(both.machine, task);
    touchAll(both.machine, task, START, 4, false);
    expect(nodesOf(both.machine, task, 4)).toEqual([2, 2, 2, 2]);
    checkMachine(both.machine);
  });
});

describe('HR-22: policies', () => {
  const TABLE: readonly {
    x: string;
    policy: 'interleave' | 'bind';
    flag: NodesFlag;
    set: number[];
    out: number[];
    back: number[];
  }[] = [
    { x: 'X25', policy: 'interleave', flag: null, set: [0, 1, 2, 3], out: [0, 2, 3], back: [0, 1, 2] },
    { x: 'X26', policy: 'interleave', flag: null, set: [0, 1, 2], out: [0, 2, 3], back: [0, 1, 2] },
    { x: 'X26', policy: 'bind', flag: null, set: [1], out: [2], back: [1] },
    { x: 'X26', policy: 'bind', flag: null, set: [3], out: [0], back: [0] },
    { x: 'X27', policy: 'interleave', flag: 'static', set: [1, 2], out: [2], back: [1, 2] },
    { x: 'X27', policy: 'bind', flag: 'static', set: [1, 2], out: [2], back: [1, 2] },
    { x: 'X27', policy: 'interleave', flag: 'static', set: [1], out: [0, 2, 3], back: [1] },
    { x: 'X27', policy: 'bind', flag: 'static', set: [1], out: [0, 2, 3], back: [1] },
    { x: 'X27', policy: 'interleave', flag: 'relative', set: [0, 1], out: [0, 2], back: [0, 1] },
    { x: 'X27', policy: 'bind', flag: 'relative', set: [0, 1], out: [0, 2], back: [0, 1] },
  ];

  it('is told by ten rows', () => {
    expect(TABLE).toHaveLength(10);
  });

  describe.each([1, 2] as const)('cgroup %d', (cgroup) => {
    it.each(TABLE)(
      '$x: $policy $flag $set, without node 1: $out; back (HR-24): $back',
      ({ policy, flag, set, out, back }) => {
        const both = hotplugMachine({ cgroup });
        const { machine } = both;
        const task = processOn(machine, 0);
        const ofTask = machine.policy.newPolicy(task, { ...request(POLICIES[policy], ...set), flag });
        machine.policy.setMempolicy(task, ofTask);
        ofTask.refs--;
        const ofArea = machine.policy.newPolicy(task, { ...request(POLICIES[policy], ...set), flag });
        mapAnon(machine, task, START, 4);
        machine.policy.mbind(task.space, START, 4, ofArea);
        ofArea.refs--;
        const nodes = (of: Mempolicy) => [...of.nodes];
        off(both);
        expect([nodes(ofTask), nodes(ofArea)]).toEqual([out, out]);
        on(both);
        expect([nodes(ofTask), nodes(ofArea)]).toEqual([back, back]);
      },
    );
  });

  it('the policy of a shared object and PREFERRED keep the lost node, and start in its row', () => {
    const both = hotplugMachine();
    const { machine, calls } = both;
    const task = processOn(machine, 0);
    setPolicy(machine, task, POLICIES.preferred, 1);
    const object = machine.files.create('shmem', 'shared', 2);
    mapShared(machine, task, object, START);
    expect(calls.policy.mbind(task, BigInt(START) * 4096n, 8192n, MPOL_INTERLEAVE, [1], 65, 0)).toBe(0);
    off(both);
    mapAnon(machine, task, START + 10, 1);
    touchAll(machine, task, START, 2, true);
    touchAll(machine, task, START + 10, 1, true);
    expect(object.policyAt(0)?.nodes).toEqual([1]);
    expect(task.policy?.nodes).toEqual([1]);
    expect([nodeAt(machine, task, START), nodeAt(machine, task, START + 10)]).toEqual([3, 3]); // row 1 is 3, 2, 0 now
    checkMachine(machine);
  });

  it('calls that name the lost node alone: mbind and set_mempolicy EINVAL, move_pages ENODEV (K-M2); allowed nodes are without it', () => {
    const both = hotplugMachine();
    const { machine, calls } = both;
    const { task } = processWithPages(machine, 0, START, 2);
    off(both);
    const bind = (nodes: number[]) =>
      calls.policy.mbind(task, BigInt(START) * 4096n, 8192n, MPOL_BIND, nodes, 65, MOVE);
    expect([bind([1]), bind([1, 2])]).toEqual([-EINVAL, 0]);
    expect(nodesOf(machine, task, 2)).toEqual([2, 2]);
    expect([MPOL_BIND, MPOL_PREFERRED].map((mode) => calls.policy.setMempolicy(task, mode, [1], 65))).toEqual([
      -EINVAL,
      -EINVAL,
    ]);
    expect(calls.pages.movePages(task, task, [START], [1], MOVE, [])).toBe(-ENODEV);
    expect(calls.policy.getMempolicy(task, 0n, 65, 4, true, true).nodes).toEqual([0, 2, 3]);
    on(both);
    expect(calls.pages.movePages(task, task, [START], [1], MOVE, [])).toBe(0);
    expect(calls.policy.getMempolicy(task, 0n, 65, 4, true, true).nodes).toEqual([0, 1, 2, 3]);
    checkMachine(machine);
  });
});

describe('HR-22, HR-24: control groups', () => {
  /** Groups with their mems; one task in each, with two pages on node 1. */
  function grouped(cgroup: 1 | 2, groups: Readonly<Record<string, number[]>>, of: HotplugOptions = {}) {
    const both = hotplugMachine({ cgroup, ...of });
    const { machine, calls } = both;
    const tasks = Object.entries(groups).map(([name, mems]) => {
      calls.cpusets.create(name, { cpus: [0, 1, 2, 3], mems });
      const { task } = processWithPages(machine, 1, START, 2);
      expect(calls.cpusets.attach(name, task)).toBe(0);
      return task;
    });
    const mems = () => tasks.map((task) => task.cpuset.nodes());
    return { ...both, both, tasks, mems };
  }

  it.each([1, 2] as const)(
    'cgroup %d: the root keeps the nodes with memory; its pages stay where they went',
    (cgroup) => {
      const { both, machine } = grouped(cgroup, {});
      const { task } = processWithPages(machine, 1, START, 3);
      off(both);
      expect(machine.rootCpuset.nodes()).toEqual([0, 2, 3]);
      on(both);
      expect(machine.rootCpuset.nodes()).toEqual([0, 1, 2, 3]);
      expect(nodesOf(machine, task, 3)).toEqual([2, 2, 2]);
    },
  );

  it.each([
    { cgroup: 1, out: [[0], [2, 3]], back: [[0], [2, 3]] },
    {
      cgroup: 2,
      out: [[0], [2, 3]],
      back: [
        [0, 1],
        [1, 2, 3],
      ],
    },
  ] as const)('cgroup $cgroup: children keep what is there: $out; back: $back', ({ cgroup, out, back }) => {
    const { both, mems } = grouped(cgroup, { a: [0, 1], b: [1, 2, 3] });
    off(both);
    expect(mems()).toEqual(out);
    on(both);
    expect(mems()).toEqual(back);
  });

  it("cgroup 2: a child of node 1 alone takes its parent's nodes; its pages go out, and all come back (K-C3)", () => {
    const { both, machine, tasks, mems } = grouped(2, { a: [1] });
    off(both);
    expect([mems(), nodesOf(machine, tasks[0], 2)]).toEqual([[[0, 2, 3]], [2, 2]]);
    mapAnon(machine, tasks[0], START + 10, 1);
    touchAll(machine, tasks[0], START + 10, 1, true);
    on(both);
    expect(mems()).toEqual([[1]]);
    expect([...nodesOf(machine, tasks[0], 2), nodeAt(machine, tasks[0], START + 10)]).toEqual([1, 1, 1]);
    checkMachine(machine);
  });

  it('cgroup 1: a child of node 1 alone is left by its tasks, for the nearest ancestor with nodes, and stays empty', () => {
    const { both, tasks, calls, mems } = grouped(1, { a: [1, 2], 'a/b': [1], 'a/b/c': [1] });
    off(both);
    expect(tasks.map((task) => task.cpuset.name)).toEqual(['a', 'a', 'a']);
    expect(mems()).toEqual([[2], [2], [2]]);
    on(both);
    expect(mems()).toEqual([[2], [2], [2]]);
    expect(calls.cpusets.attach('a/b', tasks[0])).not.toBe(0);
  });

  it('cgroup 2: children follow top down, each its parent', () => {
    const { both, mems } = grouped(2, { a: [1, 2], 'a/b': [1], 'a/b/c': [1] });
    off(both);
    expect(mems()).toEqual([[2], [2], [2]]);
    on(both);
    expect(mems()).toEqual([[1, 2], [1], [1]]);
  });

  it('cgroup 1 with memory_migrate: on return nothing moves, for the set stays reduced; without, neither', () => {
    for (const migrates of [false, true]) {
      const { both, machine, calls, tasks } = grouped(1, { a: [0, 1] });
      calls.cpusets.setMemoryMigrate('a', migrates);
      off(both);
      on(both);
      expect(nodesOf(machine, tasks[0], 2)).toEqual([2, 2]);
    }
  });
});

describe('HR-24: online again', () => {
  it('frames, lists, marks and counts are as before, round after round; used memory is given out again', () => {
    const both = hotplugMachine({ minFreeKbytes: 64 });
    const { machine } = both;
    const { task } = processWithPages(machine, 1, START, 40);
    const total = freePages(machine).reduce((a, b) => a + b);
    for (let round = 0; round < 3; round++) {
      off(both);
      expect(freePages(machine).reduce((a, b) => a + b)).toBe(total - 64);
      on(both);
      expect(freePages(machine)).toEqual([63, 64, expect.any(Number), expect.any(Number)]);
      expect(freePages(machine).reduce((a, b) => a + b)).toBe(total);
      setPolicy(machine, task, POLICIES.preferred, 1);
      mapAnon(machine, task, START + 100 * (round + 1), 60);
      touchAll(machine, task, START + 100 * (round + 1), 60, true);
      expect(new Set(nodesOf(machine, task, 56, START + 100 * (round + 1)))).toEqual(new Set([1]));
      machine.memory.munmap(task.space, START + 100 * (round + 1), 60, task.cpu);
      machine.lru.drainAll();
    }
    checkMachine(machine);
  });

  it('an empty node that goes and comes back leaves no trace', () => {
    const both = hotplugMachine();
    processWithPages(both.machine, 0, START, 5);
    const before = memorySnapshot(both.machine);
    off(both);
    on(both);
    expect(memorySnapshot(both.machine)).toEqual(before);
    expect(both.calls.hotplug.onlineNode(N1)).toBe(-EINVAL);
  });

  it('a node that came back in part has memory', () => {
    const both = hotplugMachine();
    off(both);
    expect(both.calls.hotplug.onlineBlock(both.calls.hotplug.blocksOf(N1)[1])).toBe(0);
    expect([both.machine.topology.hasMemory(N1), both.machine.zones.free(N1)]).toEqual([true, 32]);
    expect(both.calls.hotplug.blocksOf(N1).map(({ isOnline }) => isOnline)).toEqual([false, true]);
    checkMachine(both.machine);
  });
});

describe('HR-30, HR-31: as in 2.6', () => {
  it('pages go where an allocation of the task that asks would, be it the same node', () => {
    const both = hotplugMachine({ profile: 'mof-2006' });
    const { machine, calls } = both;
    const { task } = processWithPages(machine, 1, START, 20);
    const [first] = calls.hotplug.blocksOf(N1);
    expect(calls.hotplug.offlineBlock(first, processOn(machine, 3))).toMatchObject({ ret: 0, moved: 20 });
    expect(new Set(nodesOf(machine, task, 20))).toEqual(new Set([3]));
    expect(calls.hotplug.onlineBlock(first)).toBe(0);
    const inside = hotplugMachine({ profile: 'mof-2006' });
    const own = processWithPages(inside.machine, 1, START, 20);
    const [block] = inside.calls.hotplug.blocksOf(N1);
    expect(inside.calls.hotplug.offlineBlock(block, own.task)).toMatchObject({ ret: 0, moved: 20 });
    expect(new Set(nodesOf(inside.machine, own.task, 20))).toEqual(new Set([1]));
    checkMachine(inside.machine);
  });

  it('HR-31: with a locked area the mover of 2005 never returns (R-05): the block stays, and what it hung on is named', () => {
    const { machine, calls } = hotplugMachine({ profile: 'direct-2005' });
    const { task } = processWithPages(machine, 1, START, 1);
    calls.areas.mlock(task, START, 1, true);
    machine.lru.drainAll();
    const pfn = frameAt(machine, task, START);
    const { ret, leftovers } = calls.hotplug.offlineNode(N1, task);
    expect({ ret, leftovers }).toEqual({ ret: -EDEADLK, leftovers: [{ pfn, reason: 'hung' }] });
    expect(machine.zones.managed[1]).toBe(64);
  });

  it('HR-31, P5: an anonymous page needs a free swap slot', () => {
    const { machine, calls } = hotplugMachine({ profile: 'mof-2006', swapPages: 0 });
    const { task } = processWithPages(machine, 1, START, 1);
    const pfn = frameAt(machine, task, START);
    const { ret, leftovers } = calls.hotplug.offlineNode(N1, processOn(machine, 0));
    expect({ ret, leftovers }).toEqual({ ret: -EBUSY, leftovers: [{ pfn, reason: 'no swap slot' }] });
    checkMachine(machine);
  });

  it('HR-30: lists of at most 256 pages', () => {
    const { machine, calls } = hotplugMachine({ profile: 'mof-2006', framesPerNode: 1024, memoryBlockPages: 1024 });
    processWithPages(machine, 1, START, 700);
    const asked: number[] = [];
    const { isolate } = machine.lru;
    let isolated = 0;
    machine.lru.isolate = (pfn) => {
      isolated++;
      return isolate.call(machine.lru, pfn);
    };
    const drainAll = machine.lru.drainAll.bind(machine.lru);
    machine.lru.drainAll = () => {
      asked.push(isolated);
      drainAll();
    };
    expect(calls.hotplug.offlineNode(N1, processOn(machine, 0))).toMatchObject({ ret: 0, moved: 700 });
    expect([...new Set(asked)]).toEqual([0, 256, 512, 700]);
    checkMachine(machine);
  });
});

it('a file of a lost node is read in elsewhere', () => {
  const both = hotplugMachine();
  const file = both.machine.files.create('file', 'data', 2);
  off(both);
  both.machine.file.access(processOn(both.machine, 1), file, 0, false);
  expect(both.machine.frames.nodeOf(cachedFrame(file, 0))).toBe(3);
  checkMachine(both.machine);
});

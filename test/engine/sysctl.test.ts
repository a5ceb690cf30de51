import { describe, expect, it } from 'vitest';
import { EINVAL, ENOENT } from '../../src/errors.js';
import { checkMachine, makeCalls } from '../../src/engine/index.js';
import { MARK_LOW, PG_PRIVATE, VM_READ, VM_SHARED } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { errorOf } from '../support/error-of.js';
import {
  frameAt,
  mapAnon,
  processOn,
  tinyMachine,
  touchAll,
  unmapLazily,
  type TinyOptions,
} from '../support/tiny-machine.js';

const bed = (options: TinyOptions = {}) => {
  const machine = tinyMachine(options);
  const calls = makeCalls(machine, { modes: new Map(), cgroup: 2, possibleNodes: 4 });
  return { machine, calls, task: processOn(machine, 0) };
};

describe('writing a switch while the machine runs', () => {
  it('vm.page-cluster: the next read from swap brings 2^N slots', () => {
    const { machine, calls, task } = bed({ writesAtOnce: true });
    mapAnon(machine, task, 64, 16);
    touchAll(machine, task, 64, 16, true);
    expect(calls.advice.madvise(task, 64, 16, 'pageout')).toBe(0);
    expect(calls.sysctl('vm.page-cluster', 3)).toBe(0);
    touchAll(machine, task, 64, 16, false);
    const { counters } = machine;
    expect(counters.get('pgmajfault')).toBeLessThanOrEqual(3);
    expect(counters.get('swap_ra_hit')).toBe(16 - counters.get('pgmajfault'));
    checkMachine(machine);
  });

  it('says what is not a value and what is not a switch', () => {
    const { calls } = bed();
    expect(calls.sysctl('vm.page-cluster', NaN)).toBe(-EINVAL);
    expect(calls.sysctl('vm.page-cluster', -1)).toBe(-EINVAL);
    expect(calls.sysctl('vm.swappiness-of-sorts', 1)).toBe(-ENOENT);
  });

  it('takes no value whose effect is not there: kernel.numa_balancing', () => {
    const { calls } = bed();
    expect(calls.sysctl('kernel.numa_balancing', 0)).toBe(0);
    const error = errorOf(() => calls.sysctl('kernel.numa_balancing', 1));
    expect(error).toMatchObject({ code: 'NOT_THERE_YET' });
  });

  it('drop_caches lets go of the buffers too, so that the page is free again', () => {
    const { machine, calls, task } = bed();
    const file = machine.files.create('file', 'file.dat', 1);
    machine.memory.mmap(task.space, 10, 1, { flags: VM_READ | VM_SHARED, file }, task.cpu);
    touchAll(machine, task, 10, 1, false);
    const pfn = frameAt(machine, task, 10);
    machine.frames.set(pfn, PG_PRIVATE);
    machine.frames.get(pfn);
    unmapLazily(machine, task);
    calls.file.dropCaches();
    expect(machine.frames.count(pfn)).toBe(0);
    checkMachine(machine);
  });
});

describe('/sys/kernel/mm/transparent_hugepage', () => {
  it('takes the values of the kernel, and refuses others and files that are not there', () => {
    const { calls, machine } = bed({ nodes: 1, framesPerNode: 4096, thp: {} });
    const write = (file: string, value: string | number) => calls.sysctl(`transparent_hugepage/${file}`, value);
    expect([write('enabled', 'madvise'), write('defrag', 'defer+madvise'), write('use_zero_page', 0)]).toEqual([
      0, 0, 0,
    ]);
    expect(machine.huge?.settings).toEqual({ enabled: 'madvise', defrag: 'defer+madvise', useZeroPage: false });
    expect([write('enabled', 'sometimes'), write('use_zero_page', 2), write('shmem', 'always')]).toEqual([
      ...[-EINVAL, -EINVAL, -ENOENT],
    ]);
    const without = bed({ nodes: 1, framesPerNode: 4096 });
    expect(without.calls.sysctl('transparent_hugepage/enabled', 'always')).toBe(-ENOENT);
  });

  it('RC-2: more is kept free as long as they are enabled', () => {
    const { calls, machine } = bed({ nodes: 1, framesPerNode: 40_000, thp: { enabled: 'never' } });
    const low = () => machine.zones.mark(asNodeId(0), MARK_LOW);
    const before = low();
    calls.sysctl('transparent_hugepage/enabled', 'always');
    expect(low() - before).toBeGreaterThanOrEqual(40_000 / 20);
    calls.sysctl('transparent_hugepage/enabled', 'never');
    expect(low()).toBe(before);
  });
});

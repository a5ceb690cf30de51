import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { asNodeId } from '../../src/units.js';
import { callsBed, type CallsBed } from '../support/calls.js';
import { mapAnon, nodeAt, touchAll } from '../support/tiny-machine.js';

// Huge pages that leave memory (HP-32, HP-55, K-H17).

const START = 512;

function bed(profile: string, swapPages: number, written = 512): CallsBed {
  const b = callsBed({ nodes: 2, framesPerNode: 8192, profile, thp: {}, swapPages, writesAtOnce: true });
  mapAnon(b.machine, b.task, START, 512);
  touchAll(b.machine, b.task, START, written, true);
  b.machine.lru.drainAll();
  return b;
}

const counted = ({ machine }: CallsBed) =>
  (['pswpout', 'thp_swpout', 'thp_swpout_fallback', 'thp_split_page'] as const).map((name) =>
    machine.counters.get(name),
  );

describe.each(['linux-6.1', 'linux-6.12'])('%s', (profile) => {
  it('HP-55, K-H17: pageout takes all of a huge page out, zeros too, and small pages come back', () => {
    const b = bed(profile, 2048, 10);
    expect(b.calls.advice.madvise(b.task, START, 512, 'pageout')).toBe(0);
    expect(counted(b)).toEqual([512, 1, 0, 0]);
    expect([b.task.space.rssAnon, b.task.space.swapEntries]).toEqual([0, 512]);
    b.machine.process.moveTask(b.task, b.machine.topology.cpusOf(asNodeId(1))[0]);
    b.machine.touch(b.task, START + 5, true);
    expect([nodeAt(b.machine, b.task, START + 5), nodeAt(b.machine, b.task, START + 6)]).toEqual([1, -1]);
    checkMachine(b.machine);
  });

  it('HP-55: without 512 slots that follow each other it is broken up and goes page by page', () => {
    const b = bed(profile, 600); // slots 512 to 1023 are not all there
    expect(b.calls.advice.madvise(b.task, START, 512, 'pageout')).toBe(0);
    expect(counted(b)).toEqual([512, 0, 1, 1]);
    expect(b.task.space.swapEntries).toBe(512);
    checkMachine(b.machine);
  });

  it('HP-55: slots that were given back make a run again', () => {
    const b = bed(profile, 1024);
    for (let round = 1; round <= 3; round++) {
      b.calls.advice.madvise(b.task, START, 512, 'pageout');
      expect(b.machine.counters.get('thp_swpout')).toBe(round);
      b.machine.memory.discard(b.task.space, START, 512, b.task.cpu);
      b.machine.memory.munmap(b.task.space, START, 512, b.task.cpu);
      mapAnon(b.machine, b.task, START, 512);
      touchAll(b.machine, b.task, START, 512, true);
      b.machine.lru.drainAll();
    }
    checkMachine(b.machine);
  });

  it('HP-55: one with unmapped parts is broken up first', () => {
    const b = bed(profile, 2048);
    b.machine.memory.munmap(b.task.space, START + 100, 100, b.task.cpu);
    b.calls.advice.madvise(b.task, START, 100, 'pageout');
    expect(b.machine.counters.get('thp_swpout')).toBe(0);
    expect(b.machine.counters.get('thp_split_page')).toBe(1);
    checkMachine(b.machine);
  });

  it('HP-32: under pressure the frames of unmapped parts come free', () => {
    const b = bed(profile, 2048);
    b.machine.memory.munmap(b.task.space, START + 100, 400, b.task.cpu);
    if (b.machine.huge !== null) b.machine.huge.settings.enabled = 'never';
    const free = b.machine.zones.free(asNodeId(0)) + b.machine.zones.free(asNodeId(1));
    mapAnon(b.machine, b.task, 4096, free + 200);
    touchAll(b.machine, b.task, 4096, free + 200, true);
    expect(b.machine.counters.get('thp_split_page')).toBe(1);
    b.machine.lru.drainAll();
    checkMachine(b.machine);
  });
});

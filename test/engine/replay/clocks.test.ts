import { describe, expect, it } from 'vitest';
import { Clocks } from '../../../src/engine/replay/clocks.js';

/** A turn of a thread on a CPU, that takes `ns`, of which `moving` go into moving pages. @returns the clock it began at */
function turn(
  clocks: Clocks,
  thread: number,
  cpu: number,
  ns: number,
  moving = 0,
  waitedFor: number[] | null = null,
): number {
  const began = clocks.begin(thread, cpu, waitedFor);
  clocks.end(thread, cpu, began + ns, moving);
  return began;
}

describe('clocks of threads', () => {
  it('a thread starts at its creator, with the share of it that went into moving pages', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 0, 0, 100, 30);
    clocks.startAt(2, 0);
    expect([clocks.get(2), clocks.moving(2)]).toEqual([100, 30]);
    expect([clocks.get(1), clocks.moving(1)]).toEqual([0, 0]);
  });

  it('threads on different CPUs go on at the same time', () => {
    const clocks = new Clocks(2, 2);
    expect([turn(clocks, 0, 0, 100), turn(clocks, 1, 1, 70), turn(clocks, 0, 0, 100), turn(clocks, 1, 1, 70)]).toEqual([
      0, 0, 100, 70,
    ]);
    expect(clocks.frontier()).toBe(200);
  });

  it('threads on one CPU take turns in row order', () => {
    const clocks = new Clocks(2, 1);
    expect(turn(clocks, 0, 0, 100, 10)).toBe(0);
    expect(turn(clocks, 1, 0, 70, 5)).toBe(100);
    expect(turn(clocks, 0, 0, 100)).toBe(170);
    expect([clocks.cpu(0), clocks.moving(0)]).toEqual([270, 15]);
  });

  it('a thread that waited goes on at the furthest clock of those it waited for, with its share of moving pages', () => {
    const clocks = new Clocks(4, 4);
    turn(clocks, 1, 1, 300, 60);
    turn(clocks, 2, 2, 200, 100);
    turn(clocks, 3, 3, 1000);
    expect(turn(clocks, 0, 0, 10, 0, [1, 2])).toBe(300);
    expect(clocks.moving(0)).toBe(60);
  });

  it('waiting never takes a clock back', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 0, 1000);
    turn(clocks, 1, 1, 30);
    expect(turn(clocks, 0, 0, 10, 0, [1])).toBe(1000);
  });

  it('a thread on another CPU than before takes its turn there', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 1, 500);
    turn(clocks, 1, 0, 100);
    expect(turn(clocks, 1, 1, 100)).toBe(500);
  });

  it('a call that moves pages takes time of its thread and its CPU, all of it moving', () => {
    const clocks = new Clocks(2, 1);
    turn(clocks, 0, 0, 100);
    clocks.moved(0, 0, 130);
    expect([clocks.get(0), clocks.moving(0)]).toEqual([130, 30]);
    expect([turn(clocks, 1, 0, 5), clocks.moving(1)]).toEqual([130, 30]);
    expect(clocks.cpu(0)).toBe(135);
  });

  it('say once per round how far the last of the running threads has come', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 2, 2, 5); // stops after this
    const seen: number[] = [];
    for (let i = 1; i <= 12; i++) {
      turn(clocks, i & 1, i & 1, (i & 1) === 0 ? 100 : 60);
      seen.push(clocks.behind());
    }
    expect(seen).toEqual([-1, -1, 5, -1, -1, 180, -1, -1, 300, -1, -1, 360]);
  });
});

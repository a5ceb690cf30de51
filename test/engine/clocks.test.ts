import { describe, expect, it } from 'vitest';
import { Clocks } from '../../src/engine/clocks.js';

/** Quantum `q` of a thread on a CPU, that takes `ns`, of which `moving` go into moving pages. @returns the clock it began at */
function turn(clocks: Clocks, q: number, thread: number, cpu: number, ns: number, moving = 0): number {
  const began = clocks.begin(thread, cpu, q);
  clocks.end(thread, cpu, began + ns, moving);
  return began;
}

describe('clocks of threads', () => {
  it('a thread starts at its creator, with the share of it that went into moving pages', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 0, 0, 0, 100, 30);
    clocks.startAt(2, 0);
    expect([clocks.get(2), clocks.moving(2)]).toEqual([100, 30]);
    expect([clocks.get(1), clocks.moving(1)]).toEqual([0, 0]);
  });

  it('threads on different CPUs go on at the same time', () => {
    const clocks = new Clocks(2, 2);
    expect(turn(clocks, 0, 0, 0, 100)).toBe(0);
    expect(turn(clocks, 1, 1, 1, 70)).toBe(0);
    expect(turn(clocks, 2, 0, 0, 100)).toBe(100);
    expect(turn(clocks, 3, 1, 1, 70)).toBe(70);
    expect(clocks.frontier()).toBe(200);
  });

  it('threads on one CPU take turns in row order', () => {
    const clocks = new Clocks(2, 1);
    expect(turn(clocks, 0, 0, 0, 100, 10)).toBe(0);
    expect(turn(clocks, 1, 1, 0, 70, 5)).toBe(100);
    expect(turn(clocks, 2, 0, 0, 100)).toBe(170);
    expect([clocks.cpu(0), clocks.moving(0)]).toEqual([270, 15]);
  });

  it('a thread that paused while another began two quanta waited: it goes on at their clock', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 1, 1, 10);
    for (let q = 1; q <= 3; q++) turn(clocks, q, 0, 0, 100, 20);
    expect(turn(clocks, 4, 1, 1, 10)).toBe(300);
    expect(clocks.moving(1)).toBe(60); // what it waited for was moving pages
  });

  it('a thread that only ran less often than before did not wait', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 0, 0, 0, 10);
    turn(clocks, 1, 1, 1, 100);
    turn(clocks, 2, 2, 2, 100);
    expect(turn(clocks, 3, 0, 0, 10)).toBe(10);
    expect(turn(clocks, 4, 1, 1, 100)).toBe(100);
    expect(turn(clocks, 5, 0, 0, 10)).toBe(20); // thread 2 has not run meanwhile, thread 1 once
  });

  it('the furthest of those that ran meanwhile counts, not of those that stopped before', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 0, 2, 2, 1000);
    turn(clocks, 1, 0, 0, 10);
    for (let q = 2; q <= 4; q++) turn(clocks, q, 1, 1, 100);
    expect(turn(clocks, 5, 0, 0, 10)).toBe(300);
  });

  it('waiting never takes a clock back', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 0, 0, 1000);
    for (let q = 1; q <= 3; q++) turn(clocks, q, 1, 1, 10);
    expect(turn(clocks, 4, 0, 0, 10)).toBe(1000);
  });

  it('a quantum that is cut in pieces is one quantum: nobody waited for it', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 0, 0, 10);
    for (let piece = 0; piece < 3; piece++) turn(clocks, 1, 1, 1, 100);
    expect(turn(clocks, 2, 0, 0, 10)).toBe(10);
  });

  it('a thread that goes on with its quantum on another CPU takes its turn there', () => {
    const clocks = new Clocks(2, 2);
    turn(clocks, 0, 0, 1, 500);
    turn(clocks, 1, 1, 0, 100);
    expect(turn(clocks, 1, 1, 1, 100)).toBe(500);
  });

  it('a call that moves pages takes time on the clock of its thread, all of it moving', () => {
    const clocks = new Clocks(1, 1);
    turn(clocks, 0, 0, 0, 100);
    clocks.moved(0, 0, 130);
    expect([clocks.get(0), clocks.moving(0)]).toEqual([130, 30]);
    expect([turn(clocks, 1, 0, 0, 5), clocks.cpu(0)]).toEqual([130, 135]);
  });

  it('and its CPU is busy meanwhile', () => {
    const clocks = new Clocks(2, 1);
    turn(clocks, 0, 0, 0, 100);
    clocks.moved(0, 0, 130);
    expect([turn(clocks, 1, 1, 0, 5), clocks.moving(1)]).toEqual([130, 30]);
  });

  it('say once per round how far the last of the running threads has come', () => {
    const clocks = new Clocks(3, 3);
    turn(clocks, 0, 2, 2, 5); // stops after this
    const seen: number[] = [];
    for (let q = 1; q <= 12; q++) {
      turn(clocks, q, q & 1, q & 1, (q & 1) === 0 ? 100 : 60);
      seen.push(clocks.behind());
    }
    expect(seen).toEqual([-1, -1, 5, -1, -1, 180, -1, -1, 300, -1, -1, 360]);
  });
});

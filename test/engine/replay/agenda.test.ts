import { describe, expect, it } from 'vitest';
import { Agenda, Rank } from '../../../src/engine/replay/agenda.js';

/** An agenda that writes down what it carries out. */
function recording(items: readonly { row: number; rank: keyof typeof Rank; frees?: boolean }[]) {
  const agenda = new Agenda();
  const done: string[] = [];
  for (const { row, rank, ...rest } of items) {
    agenda.add({ row, rank: Rank[rank], ...rest, carryOut: () => done.push(`${rank} ${String(row)}`) });
  }
  return { agenda, done };
}

describe('the agenda of a replay', () => {
  it('carries out what is due before a row, in the order of rows', () => {
    const { agenda, done } = recording([
      { row: 7, rank: 'map' },
      { row: 3, rank: 'map' },
      { row: 5, rank: 'map' },
    ]);
    expect(agenda.nextRow).toBe(3);
    agenda.carryOutUntil(2);
    expect(done).toEqual([]);
    agenda.carryOutUntil(5);
    expect(done).toEqual(['map 3', 'map 5']);
    expect(agenda.nextRow).toBe(7);
    agenda.carryOutUntil(100);
    expect(done).toEqual(['map 3', 'map 5', 'map 7']);
    expect(agenda.nextRow).toBe(Infinity);
  });

  it('at one row: what ends, then what begins, then who looks or acts', () => {
    const shuffled = [
      'action',
      'output',
      'map',
      'exit',
      'mark',
      'threadStart',
      'discard',
      'unmap',
      'processStart',
    ] as const;
    const { agenda, done } = recording(shuffled.map((rank) => ({ row: 4, rank })));
    agenda.carryOutUntil(4);
    expect(done.map((what) => what.replace(' 4', ''))).toEqual([
      'exit',
      'unmap',
      'discard',
      'processStart',
      'map',
      'threadStart',
      'output',
      'mark',
      'action',
    ]);
  });

  it('keeps the order of equals, and takes what is added while it is carried out', () => {
    const agenda = new Agenda();
    const done: string[] = [];
    const add = (name: string) => {
      agenda.add({ row: 1, rank: Rank.map, carryOut: () => done.push(name) });
    };
    ['a', 'b', 'c'].forEach(add);
    agenda.carryOutUntil(1);
    add('late');
    expect(agenda.nextRow).toBe(1);
    agenda.carryOutUntil(1);
    expect(done).toEqual(['a', 'b', 'c', 'late']);
  });

  it('puts off what frees memory within a stretch to its end, and nothing else', () => {
    const { agenda, done } = recording([
      { row: 10, rank: 'unmap', frees: true },
      { row: 15, rank: 'map' },
      { row: 15, rank: 'discard', frees: true },
      { row: 16, rank: 'exit', frees: true },
      { row: 20, rank: 'unmap', frees: true },
      { row: 21, rank: 'unmap', frees: true },
    ]);
    agenda.postponeFrees(10, 20);
    agenda.carryOutUntil(19);
    expect(done).toEqual(['unmap 10', 'map 15']);
    agenda.carryOutUntil(20);
    expect(done.slice(2)).toEqual(['exit 16', 'unmap 20', 'discard 15']);
    agenda.carryOutUntil(21);
    expect(done.slice(5)).toEqual(['unmap 21']);
  });
});

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parseRun } from '../../src/run/parse-run.js';
import { printRun } from '../../src/run/print-run.js';
import type { ActionSpec, Moment, PolicySpec, RunSpec, Switches } from '../../src/run/run-spec.js';

/** Texts that hold the grammar's own punctuation as often as letters. */
const text = fc
  .string({
    unit: fc.constantFrom(
      'a',
      'b',
      'Z',
      '0',
      '7',
      ' ',
      '+',
      ':',
      '@',
      '=',
      '!',
      '%',
      '"',
      '\\',
      '/',
      '.',
      '[',
      ']',
      'é',
    ),
  })
  .filter((value) => value.trim() !== '');
const nodes = fc.constantFrom(null, 'all', '0', '0-3', '0,2', '!1', '+1', '!+0', '!0-1,3', '0,all');
const someNodes = nodes.map((text) => text ?? '0');
const name = fc.constantFrom(
  'default',
  'interleave',
  'bind',
  './mine.ts',
  '/x/y.mjs',
  '../p.ts',
  '@scope/name',
  './c++/p@1:2.ts',
  './say "a".ts',
);
const option = fc.stringMatching(/^[A-Za-z][\w-]{0,5}$/);

const policy: fc.Arbitrary<PolicySpec> = fc.record({
  name,
  nodes,
  flags: fc.constantFrom([], ['static'] as const, ['relative'] as const),
  options: fc
    .uniqueArray(fc.tuple(option, text), { selector: ([key]) => key, maxLength: 3 })
    .map((entries) => Object.fromEntries(entries)),
});
const moment: fc.Arbitrary<Moment> = fc.oneof(
  fc.constantFrom({ kind: 'start' } as const, { kind: 'threads' } as const),
  fc.record({ kind: fc.constant('row' as const), row: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('percent' as const), percent: fc.nat(10_000).map((hundredths) => hundredths / 100) }),
  fc.record({ kind: fc.constant('event' as const), text }),
);
const action: fc.Arbitrary<ActionSpec> = fc.oneof(
  fc.record({ text: fc.constant(''), kind: fc.constant('lazy' as const), region: fc.option(text), moment }),
  fc.record({ text: fc.constant(''), kind: fc.constant('move' as const), region: fc.option(text), moment }),
  fc.record({ text: fc.constant(''), kind: fc.constant('migrate' as const), from: someNodes, to: someNodes, moment }),
  fc.record({ text: fc.constant(''), kind: fc.constant('swapout' as const), moment }),
  fc.record({
    text: fc.constant(''),
    kind: fc.constant('cpuset' as const),
    nodes: someNodes,
    migrates: fc.boolean(),
    moment,
  }),
  fc.record({
    text: fc.constant(''),
    kind: fc.constant('task' as const),
    thread: fc.oneof(fc.nat(999), fc.constant('all' as const)),
    node: fc.nat(255).map(String),
    moment,
  }),
);
const switches: fc.Arbitrary<Switches> = fc.record({
  hookSwap: fc.boolean(),
  hookFile: fc.boolean(),
  hookShmem: fc.boolean(),
  autoMigrate: fc.option(
    fc.record({
      lazy: fc.boolean(),
      intervalS: fc.integer({ min: 5, max: 300 }),
      maxMapcount: fc.integer({ min: 1, max: 9 }),
    }),
  ),
  balancing: fc.option(
    fc.constantFrom({ name: 'normal', options: {} }, { name: './b.ts', options: { 'scan-size': '64', text: 'a+b' } }),
  ),
  vmas: fc.array(fc.record({ region: text, policy }), { maxLength: 2 }),
  cpus: fc.oneof(fc.constantFrom('blocks', 'spread', 'pack'), fc.array(fc.nat(1023), { minLength: 1, maxLength: 6 })),
  profile: fc.constantFrom('mof', 'mof-2006', 'linux-6.1', 'linux-6.12'),
  swap: fc.boolean(),
  thp: fc.constantFrom('never', 'madvise', 'always'),
  readahead: fc.boolean(),
  faultAround: fc.boolean(),
  pageCluster: fc.nat(10),
});
const spec: fc.Arbitrary<RunSpec> = fc.record({
  text: fc.constant(''),
  policy,
  actions: fc.array(action, { maxLength: 3 }),
  switches,
});

/** The meaning of a run without the way it was typed. */
const meaning = (run: RunSpec) => ({ ...run, text: '', actions: run.actions.map((each) => ({ ...each, text: '' })) });

describe('a run that is printed', () => {
  test.prop([spec], { numRuns: 2000, seed: 4 })('parses to what it meant, and prints the same again', (run) => {
    const printed = printRun(run);
    const again = parseRun(printed);
    expect(meaning(again)).toEqual(meaning(run));
    expect(printRun(again)).toBe(printed);
  });

  test('leaves out what is at its default', () => {
    expect(printRun(parseRun('default+swap=on+hooks=off+cpus=blocks+thp=never'))).toBe('default');
    expect(printRun(parseRun('default+hook-file=off+lazy@start+hook-swap=on'))).toBe('default+lazy+hook-file=off');
    expect(printRun(parseRun('default+lazy+hooks=off'))).toBe('default+lazy+hooks=off');
  });
});

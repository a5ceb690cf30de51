import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errorMakers, thrownErrors } from './support/tidy/errors.js';
import { arrows, mutualNeighbours, oneCompositionRoot } from './support/tidy/imports.js';
import { LAYERS, layerOf } from './support/tidy/layers.js';
import { noClockNoChance, noNodeBelowEngine } from './support/tidy/purity.js';
import { filesUnder, parse, readText, ROOT, type Rule, type Source } from './support/tidy/source.js';
import { badName, foreignText, headerOfFace, noTestLeftOut } from './support/tidy/text.js';

// Two halves: each rule first finds what was planted (and leaves its innocent neighbours alone), then reads the repository.

const all = filesUnder('');
const sources = all
  .filter((path) => /^(src|policies|bench|test)\/.*\.ts$/.test(path))
  .map((path) => parse(path, readText(path)));
const srcSources = sources.filter(({ path }) => path.startsWith('src/'));
const policyPaths = sources.map(({ path }) => path).filter((path) => path.startsWith('policies/'));

describe('the repository', () => {
  it('is read whole: sources, policies and tests are found', () => {
    expect(srcSources.length).toBeGreaterThan(10);
    expect(policyPaths).toEqual(expect.arrayContaining(['policies/default.ts', 'policies/stay.ts']));
    expect(sources.map(({ path }) => path)).toContain('test/tidy.test.ts');
  });

  it('imports downwards only, and across only where the layers say so', () => {
    expect(offencesOf(arrows)).toEqual([]);
  });

  it('has no two folders of one layer that import each other', () => {
    expect(mutualNeighbours(srcSources)).toEqual([]);
  });

  it('enters every folder of src/ in .layers.json', () => {
    const known = new Set([...LAYERS.layers.flat(), 'index']);
    const unknown = all.filter((path) => path.startsWith('src/') && !known.has(layerOf(path) ?? ''));
    expect(unknown).toEqual([]);
  });

  it('has one composition root', () => {
    expect(offencesOf(oneCompositionRoot)).toEqual([]);
  });

  it('asks no clock, no chance and no locale below cli/', () => {
    expect(offencesOf(noClockNoChance)).toEqual([]);
  });

  it('needs nothing of Node below engine/, trace/readers and trace/writers excepted', () => {
    expect(offencesOf(noNodeBelowEngine)).toEqual([]);
  });

  it('throws MmError, ModelBug or what it caught', () => {
    expect(offencesOf(thrownErrors(errorMakers(srcSources)))).toEqual([]);
  });

  it('has a face with a header in each folder of src/', () => {
    const folders = new Set(
      srcSources
        .map(({ path }) => path)
        .filter(isInFolder)
        .map((path) => path.split('/')[1]),
    );
    const faces = [...folders].map((folder) => `src/${folder}/index.ts`);
    expect(faces.filter((path) => !all.includes(path))).toEqual([]);
    expect(sources.filter(({ path }) => faces.includes(path)).flatMap(headerOfFace)).toEqual([]);
  });

  it('leaves no test out', () => {
    expect(offencesOf(noTestLeftOut)).toEqual([]);
  });

  it('says nothing that is true on one computer only', () => {
    const texts = all.map((path) => ({ path, text: readText(path) })).filter(({ text }) => !text.includes('\0'));
    expect(texts.flatMap(({ path, text }) => foreignText(path, text))).toEqual([]);
  });

  it('names its source files in kebab-case', () => {
    expect(sources.flatMap(({ path }) => badName(path))).toEqual([]);
  });

  it.each(policyPaths)('%s is the policy of its file name', async (path) => {
    const module = (await import(pathToFileURL(ROOT + path).href)) as { default?: { name?: unknown } };
    expect(module.default?.name).toBe(basename(path, '.ts'));
  });
});

describe('arrows', () => {
  it.each([
    ['src/mm/lru.ts', `import { f } from '../engine/machine.js'`, 'engine'],
    ['src/mm/lru.ts', `import type { F } from '../fault/index.js'`, 'fault'],
    ['src/mm/lru.ts', `export * from '../migrate/steps.js'`, 'migrate'],
    ['src/mm/lru.ts', `const f = await import('../reclaim/scan.js')`, 'reclaim'],
    ['src/mm/lru.ts', `let f: import('../engine/machine.js').Machine`, 'engine'],
    ['src/mm/lru.ts', `import { f } from '../elsewhere/thing.js'`, '.layers.json'],
    ['src/units.ts', `import { remoteShare } from './stats/run-result.js'`, 'stats'],
    ['src/engine/machine.ts', `import { f } from '../run/parse-run.js'`, 'run'],
    ['src/engine/machine.ts', `import { DEFAULT_SWITCHES } from '../run/run-spec.js'`, 'import type'],
    ['src/engine/machine.ts', `import { type RunSpec } from '../run/run-spec.js'`, 'import type'],
    ['src/mm/lru.ts', `import type { RunSpec } from '../run/run-spec.js'`, 'run'],
    ['src/report/table.ts', `import { f } from '../cli/main.js'`, 'cli'],
    ['src/report/table.ts', `import { f } from '../index.js'`, 'src/index.ts'],
    ['src/index.ts', `import './cli/main.js'`, 'command line'],
    ['src/engine/machine.ts', `import stay from '../../policies/stay.js'`, 'outside src/'],
    ['src/engine/machine.ts', `import { x } from '../../test/support/x.js'`, 'test'],
    ['bench/main.ts', `import { x } from '../test/support/x.js'`, 'test'],
    ['policies/mine.ts', `import { NO_NODE } from '../src/units.js'`, 'src/policy/index.ts'],
    ['policies/mine.ts', `import { z } from 'zod'`, 'src/policy/index.ts'],
    ['src/policy/contract.ts', `import { f } from '../stats/index.js'`, 'units.ts'],
    ['src/policy/contract.ts', `import { z } from 'zod'`, 'no package'],
  ])('finds in %s: %s', (path, text, what) => {
    expect(look(arrows, path, text)).toEqual([expect.stringMatching(`^${path}:1: .*${what}`)]);
  });

  it.each([
    ['src/mm/lru.ts', `import { f } from '../hardware/index.js'`],
    ['src/mm/lru.ts', `import { f } from './rmap.js'`],
    ['src/mm/lru.ts', `// import { f } from '../engine/machine.js'\nconst s = "import '../engine/machine.js'"`],
    ['src/engine/machine.ts', `import type { RunSpec } from '../run/run-spec.js'`],
    ['src/engine/machine.ts', `import type { RunRequest } from '../run/run-request.js'`],
    ['src/explore/dfs.ts', `import { f } from '../run/parse-run.js'`],
    ['src/index.ts', `export * from './report/table.js'`],
    ['policies/mine.ts', `import { definePolicy } from '../src/policy/index.js'`],
    ['test/mm/lru.test.ts', `import { f } from '../support/tiny-machine.js'`],
  ])('leaves alone in %s: %s', (path, text) => {
    expect(look(arrows, path, text)).toEqual([]);
  });

  it('finds two neighbours that import each other', () => {
    const stats = parse('src/stats/a.ts', `import type { T } from '../trace/b.js'`);
    const trace = parse('src/trace/b.ts', `import { S } from '../stats/c.js'`);
    expect(mutualNeighbours([stats, trace])).toEqual([
      'stats and trace import each other: src/stats/a.ts:1, src/trace/b.ts:1',
    ]);
    expect(mutualNeighbours([stats])).toEqual([]);
  });
});

describe('one composition root', () => {
  it.each([
    ['src/engine/machine.ts', `import { Container } from 'inversify'`, 1],
    ['src/engine/load-policies.ts', `import 'reflect-metadata'`, 1],
    ['policies/mine.ts', `import type { Container } from 'inversify'`, 1],
    ['bench/main.ts', `const i = await import('inversify')`, 1],
    ['src/engine/compose.ts', `import { Container } from 'inversify'`, 0],
    ['test/engine/plugins/mine.ts', `import { injectable } from 'inversify'`, 0],
  ])('%s: %s counts %i', (path, text, count) => {
    expect(look(oneCompositionRoot, path, text)).toHaveLength(count);
  });
});

describe('no clock, no chance, no locale', () => {
  it.each([
    `const t = Date.now()`,
    `const t = new Date()`,
    `const t = globalThis.Date.now()`,
    `const t = performance.now()`,
    `import { performance } from 'node:perf_hooks'`,
    `const r = Math.random()`,
    `const r = Math['random']()`,
    `const { random } = Math`,
    `const t = process.hrtime.bigint()`,
    `import { hrtime as clock } from 'node:process'`,
    `import { randomUUID } from 'node:crypto'`,
    `names.sort((a, b) => a.localeCompare(b))`,
    `const text = count.toLocaleString()`,
  ])('finds %s', (text) => {
    expect(look(noClockNoChance, 'src/run/sweep.ts', text)).not.toEqual([]);
    expect(look(noClockNoChance, 'policies/mine.ts', text)).not.toEqual([]);
    expect(look(noClockNoChance, 'src/cli/main.ts', text)).toEqual([]);
  });

  it.each([
    `const n = Math.floor(x) + Math.max(a, b)`,
    `const n = new Random(seed).next() // not Math.random()`,
    `const text = 'Date and performance'`,
    `interface Row { Date: number; performance: number }`,
    `const n = row.Date + row.performance`,
  ])('leaves alone %s', (text) => {
    expect(look(noClockNoChance, 'src/run/sweep.ts', text)).toEqual([]);
  });
});

describe('nothing of Node below engine/', () => {
  it.each([
    `import { readFileSync } from 'node:fs'`,
    `import type { Readable } from 'stream'`,
    `import { createJiti } from 'jiti'`,
    `import init from 'parquet-wasm/node'`,
    `const home = process.env.HOME`,
    `const bytes = Buffer.alloc(8)`,
    `setTimeout(() => f(), 1)`,
    `const fs = require('fs')`,
    `let timer: NodeJS.Timeout`,
    `const p = globalThis.process`,
    `for (const process of list) f(process); g(process)`,
  ])('finds %s', (text) => {
    expect(look(noNodeBelowEngine, 'src/fault/anon.ts', text)).not.toEqual([]);
    expect(look(noNodeBelowEngine, 'src/trace/batch.ts', text)).not.toEqual([]);
    expect(look(noNodeBelowEngine, 'policies/mine.ts', text)).not.toEqual([]);
    expect(look(noNodeBelowEngine, 'src/trace/readers/parquet.ts', text)).toEqual([]);
    expect(look(noNodeBelowEngine, 'src/engine/load-policies.ts', text)).toEqual([]);
  });

  it.each([
    `for (const process of trace.processes) f(process.id)`,
    `function exit(process: Process) { return process.threads }`,
    `const threads = file.process.threads`,
    `import { z } from 'zod'`,
  ])('leaves alone %s', (text) => {
    expect(look(noNodeBelowEngine, 'src/fault/anon.ts', text)).toEqual([]);
  });
});

describe('what may be thrown', () => {
  const throwing = (text: string) => {
    const source = parse('src/mm/zones.ts', text);
    return thrownErrors(errorMakers([source]))(source);
  };

  it.each([
    `throw new Error('no')`,
    `throw 'no'`,
    `throw { code: 1 }`,
    `function f(error: unknown) { throw error }`,
    `try { f() } catch (error) { throw reason }`,
    `const mistake = () => new Range(1); throw mistake()`,
    `reject(new Error('no'))`,
    `const e = new TypeError('no')`,
    `class Odd extends Other {} throw new Odd()`,
  ])('finds %s', (text) => {
    expect(throwing(text)).not.toEqual([]);
  });

  it.each([
    `throw new MmError('BAD_RUN', 'no')`,
    `throw new ModelBug('page on two lists')`,
    `try { f() } catch (error) { if (a) throw error; g() }`,
    `try { f() } catch (error) { throw error instanceof MmError ? error : new MmError('BAD_TRACE', 'no') }`,
    `function mistake(at: number): MmError { return make(at) } throw mistake(3)`,
    `const mistake = (at: number) => new MmError('BAD_RUN', at); throw mistake(3)`,
    `function onUncaught(error: Error) { throw error }`,
    `try { f() } catch (error) { reject(new Error('while reading', { cause: error })) }`,
    `class Odd extends MmError {} throw new Odd()`,
  ])('leaves alone %s', (text) => {
    expect(throwing(text)).toEqual([]);
  });
});

describe('tests left out', () => {
  // Put together here, so that this file itself stays clean.
  it.each([
    'it.only',
    'describe.skip',
    'test.todo',
    'it.skipIf(slow)',
    'describe.runIf(fast)',
    'it.each(rows).skip',
    'ctx.skip',
  ])('finds %s', (callee) => {
    expect(look(noTestLeftOut, 'test/mm/lru.test.ts', `${callee}('x', () => {})`)).toHaveLength(1);
  });

  it.each([`it.each(rows)('x', f)`, `scanner.skip(4)`, `// it.only(`])('leaves alone %s', (text) => {
    expect(look(noTestLeftOut, 'test/mm/lru.test.ts', text)).toEqual([]);
  });
});

describe('the header of a face', () => {
  const header = (lines: number) =>
    ['/**', ...Array<string>(lines - 2).fill(' * words'), ' */', `export * from './a.js';`].join('\n');

  it.each([
    [4, 1],
    [5, 0],
    [15, 0],
    [16, 1],
  ])('of %i lines gives %i offences', (lines, count) => {
    expect(look(headerOfFace, 'src/mm/index.ts', header(lines))).toHaveLength(count);
  });

  it('is missed where there is none, or where it is not the first thing', () => {
    expect(look(headerOfFace, 'src/mm/index.ts', `export * from './a.js';`)).toHaveLength(1);
    expect(look(headerOfFace, 'src/mm/index.ts', `export * from './a.js';\n${header(6)}`)).toHaveLength(1);
  });
});

describe('texts of one computer', () => {
  const slash = '/';

  it.each([
    `${slash}tmp/x`,
    `'${slash}work/main'`,
    `(${slash}home/me)`,
    ['registry', 'npmjs.org'].join('.'),
    `http:${slash}/10.0.0.1/npm`,
  ])('finds %s', (text) => {
    expect(foreignText('README.md', `first line\n${text}\n`)).toEqual([expect.stringMatching(/^README\.md:2: /)]);
  });

  it.each(['src/tmp/x', './work/main', '/proc/vmstat', 'https://example.org/home', 'a / work', '/workers'])(
    'leaves alone %s',
    (text) => {
      expect(foreignText('README.md', text)).toEqual([]);
    },
  );
});

describe('file names', () => {
  it.each(['src/mm/pageCache.ts', 'src/MM/lru.ts', 'src/mm/page_cache.ts'])('finds %s', (path) => {
    expect(badName(path)).toHaveLength(1);
  });

  it.each(['src/mm/page-cache.ts', 'test/mm/lru.test.ts', 'src/trace/readers/x1.d.ts'])('leaves alone %s', (path) => {
    expect(badName(path)).toEqual([]);
  });
});

function offencesOf(rule: Rule): string[] {
  return sources.flatMap((source: Source) => rule(source));
}

function look(rule: Rule, path: string, text: string): string[] {
  return rule(parse(path, text));
}

/** In a folder of src/, not src/units.ts and its like. */
function isInFolder(path: string): boolean {
  return path.split('/').length > 2;
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicy, policiesNamed } from '../../src/engine/index.js';
import { guardPolicy } from '../../src/engine/guard-policy.js';
import { definePolicy, newAsked, readAsked, underWay, NO_NODE, type PolicyDefinition } from '../../src/policy/index.js';
import { asNodeId } from '../../src/units.js';
import { mapAnon, processOn, setPolicy, tinyMachine } from '../support/tiny-machine.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

// Policies come from files, folders and packages; a wrong answer of one is named with its file, its question and the answer.

const TYPED = `import { definePolicy, NO_NODE, type Fault } from 'migrate-on-fault/policy';
export default definePolicy({
  name: 'typed', about: 'in TypeScript', nodes: 'none', fallback: 'any', rebind: 'keep',
  create: () => ({ place: (fault: Fault) => fault.cpuNode, misplaced: () => NO_NODE }),
});
`;
const PLAIN = TYPED.replace(', type Fault', '').replace(': Fault', '').replace("'typed'", "'plain'");

const base = await temporaryDirectory();
let made = 0;

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(base, String(made++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const packageJson = (name: string, entry: string) =>
  JSON.stringify({ name, version: '1.0.0', type: 'module', exports: { types: `./${entry}`, default: `./${entry}` } });

describe('loadPolicy', () => {
  it('takes TypeScript, JavaScript, a folder with one policy, and a folder that is a package', async () => {
    const cwd = folderWith({
      ...{ 'a.ts': TYPED, 'b.js': PLAIN, 'c.mjs': PLAIN, 'one/mine.ts': TYPED, 'one/mine.test.ts': 'throw 1' },
      ...{ 'packed/package.json': packageJson('mof-policy-packed', 'src/it.ts'), 'packed/src/it.ts': TYPED },
      'packed/other.ts': PLAIN,
    });
    const names = await Promise.all(
      ['./a.ts', './b.js', 'c.mjs', './one', './packed'].map(async (word) => (await loadPolicy(word, cwd)).name),
    );
    expect(names).toEqual(['typed', 'plain', 'plain', 'typed', 'typed']);
    expect(await policiesNamed('./one', cwd)).toEqual(['./one/mine.ts']);
    expect(await policiesNamed('./packed', cwd)).toEqual(['./packed']);
    expect(await policiesNamed('bind', cwd)).toEqual(['bind']);
    await expect(loadPolicy('.', cwd)).rejects.toThrow('more than one policy: a.ts, b.js');
  });

  it('takes a package that npm pack and npm install put there, by its name or what follows mof-policy-', async () => {
    const source = folderWith({ 'package.json': packageJson('mof-policy-far', 'far.ts'), 'far.ts': TYPED });
    const cwd = folderWith({ 'package.json': '{ "name": "user", "private": true }' });
    const npm = (folder: string, ...args: string[]) =>
      execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: folder,
        encoding: 'utf8',
      });
    npm(source, 'pack', '--pack-destination', cwd);
    npm(cwd, 'install', './mof-policy-far-1.0.0.tgz');
    expect((await loadPolicy('mof-policy-far', cwd)).name).toBe('typed');
    expect((await loadPolicy('far', cwd)).name).toBe('typed');
    await expect(loadPolicy('farr', cwd)).rejects.toThrow('nor a package of that name or mof-policy-farr');
  }, 60_000);
});

const declared = { name: 'mine', about: 'wrong', nodes: 'some', fallback: 'any', rebind: 'remap' } as const;

/** What a run ends with whose policy answers so. */
function endOf(create: PolicyDefinition['create'], asked = newAsked()): string {
  const machine = tinyMachine();
  const guarded = guardPolicy(definePolicy({ ...declared, create }), { file: './mine.ts', which: 1, asked });
  const task = processOn(machine, 1);
  try {
    setPolicy(machine, task, guarded, 0, 2);
    mapAnon(machine, task, 1000, 1);
    machine.touch(task, 1000, true);
    return 'nothing wrong';
  } catch (error) {
    expect(underWay(asked)).toBe(0);
    return (error as Error).message;
  }
}

describe('a policy that is not bundled', () => {
  const misplaced = () => NO_NODE;
  const question = /^policy \.\/mine\.ts \("mine"\): place of a page \(index 1000, thread \d+ on node 1, a write\)/;

  it('that answers a node which the machine does not have is named with file, question and answer', () => {
    const line = endOf(() => ({ place: () => asNodeId(7), misplaced }));
    expect(line).toMatch(question);
    expect(line).toMatch(/was answered with 7; expected a node of the machine, 0 to 3$/);
  });

  it('that answers a node which is not one of its own is named so', () => {
    expect(endOf(() => ({ place: () => asNodeId(1), misplaced }))).toMatch(
      /was answered with 1; expected one of its nodes 0, 2$/,
    );
  });

  it('that throws is named with what it threw, and where', () => {
    const line = endOf(() => ({
      place: () => {
        throw new RangeError('no idea');
      },
      misplaced,
    }));
    expect(line).toMatch(question);
    expect(line).toMatch(/threw RangeError: no idea \(.*load-policies\.test\.ts:\d+:\d+\)$/);
    expect(endOf(() => ({ place: () => asNodeId(0) }) as never)).toContain('create returned no function misplaced');
  });

  it('is seen in the question that it is being asked', () => {
    const asked = newAsked();
    let seen = '';
    const create = () => ({
      place() {
        seen = `${String(underWay(asked))} ${String(readAsked(asked).which)} ${readAsked(asked).text}`;
        return asNodeId(2);
      },
      misplaced,
    });
    expect(endOf(create, asked)).toBe('nothing wrong');
    expect(seen).toMatch(/^2 1 place of a page \(index 1000, thread \d+ on node 1, a write\)$/); // create was the first
    expect(underWay(asked)).toBe(0);
  });
});

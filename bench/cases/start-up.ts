import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mustHold } from '../../src/prove/index.js';
import type { BenchCase, Prepared } from '../question.js';

const MOF = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const execute = promisify(execFile);

/** How long does the command take to start and say something, in a fresh process? `start-up:node` is Node alone. */
export const cases: readonly BenchCase[] = [
  { name: 'start-up', args: [MOF, '--version'] },
  { name: 'start-up:help', args: [MOF, 'run', '--help'] },
  { name: 'start-up:node', args: ['--eval', 'console.log(1)'] },
].map(({ name, args }) => ({
  ...{ name, unit: 'call', reference: null, loop: 1, isAsync: true },
  make: () => starts(args),
}));

function starts(args: readonly string[]): Promise<Prepared> {
  let silent = 0;
  return Promise.resolve({
    prepare: () => undefined,
    async run() {
      const { stdout } = await execute(process.execPath, args);
      if (stdout === '') silent++;
    },
    verify() {
      mustHold(silent === 0, `${String(silent)} starts said nothing`);
    },
  });
}

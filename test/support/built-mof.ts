import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as CommandLine from '../../src/cli/index.js';
import type * as Engine from '../../src/engine/index.js';
import type * as Execute from '../../src/run/execute.js';
import type { Shell } from '../../src/cli/index.js';

/** The command as it is built: worker threads need JavaScript. `npm test` builds first. */
const dist = (path: string): string => fileURLToPath(new URL(`../../dist/src/${path}`, import.meta.url));
export const MAIN = dist('cli/main.js');
if (!existsSync(MAIN)) throw new Error('dist/ is missing: run npm run build before these tests');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command inside this process: quick, for what needs no signals and no pipes. */
export async function mof(...args: string[]): Promise<Outcome> {
  const { runCommandLine } = (await import(dist('cli/index.js'))) as typeof CommandLine;
  let [out, err] = ['', ''];
  const shell: Shell = {
    out: (text) => (out += text),
    paint: (_style, text) => text,
    terminal: null,
    console: null,
    cwd: process.cwd(),
    signal: new AbortController().signal,
    exitCode: 0,
  };
  const code = await runCommandLine(args, shell, (text) => (err += text));
  return { code, out, err };
}

/** `executeRuns` as it is built. */
export async function builtExecuteRuns(): Promise<typeof Execute.executeRuns> {
  return ((await import(dist('run/execute.js'))) as typeof Execute).executeRuns;
}

/** `replayTrace` as it is built. */
export async function builtReplayTrace(): Promise<typeof Engine.replayTrace> {
  return ((await import(dist('engine/index.js'))) as typeof Engine).replayTrace;
}

/** Starts the built command as a process of its own. */
export function startMof(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, out, err });
    });
  });
  return { child, ended };
}

#!/usr/bin/env node
import { runCommandLine } from './command-line.js';
import { EXIT } from './exit-codes.js';
import { discardOutputFiles } from './output-file.js';
import { painterFor } from './painter.js';
import type { Shell } from './shell.js';
import { inlineDeeply } from './v8-flags.js';

inlineDeeply();

/** The process: its streams, its signals and its exit code. All else is in command-line.ts and below. */
const interrupt = new AbortController();
let onInterrupt = stop;

function stop(): void {
  interrupt.abort(new Error('interrupted'));
  process.exit(EXIT.interrupted);
}

const shell: Shell = {
  out: (text) => void process.stdout.write(text),
  paint: painterFor(process.stdout, process.env),
  terminal: process.stderr.isTTY ? (text) => void process.stderr.write(text) : null,
  console: {
    get input() {
      return process.stdin; // opened by whoever asks first
    },
    output: process.stdout,
    onInterrupt(handler) {
      onInterrupt = handler;
      return () => (onInterrupt = stop);
    },
  },
  cwd: process.cwd(),
  signal: interrupt.signal,
  exitCode: EXIT.ok,
};

// Files are written beside their place and moved there when whole: whatever ends the process, the rest is removed.
process.once('exit', discardOutputFiles);
process.on('SIGINT', () => {
  onInterrupt();
});
process.once('SIGTERM', () => {
  interrupt.abort(new Error('terminated'));
  process.exit(143); // 128 + SIGTERM
});
// `mof … | head` closes the pipe: the reader has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(shell.exitCode);
    throw error;
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), shell, (text) => void process.stderr.write(text));

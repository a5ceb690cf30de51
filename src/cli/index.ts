/**
 * The command line `mof`: arguments in, one command file, exit code out.
 *
 * `main.ts` is the process (streams, signals, exit code), `command-line.ts` the program and its error lines, and each file in
 * commands/ one command; `run-help.ts` and `replay-flags.ts` are what commands share. Nobody imports this layer but
 * tests. Always holds: a mistake is one line on stderr and exit code 2; a file that is written appears whole or not at
 * all; colours and the progress bar are for terminals only; clocks are read here and nowhere below.
 */
export { runCommandLine } from './command-line.js';
export { EXIT } from './exit-codes.js';
export type { Shell } from './shell.js';

/**
 * memtoy: a small language for memory, its places and its policies, spoken to a machine of the model.
 *
 * A line goes through words.ts and command-table.ts to one of commands/, which acts on a process (toy.ts) and its segments;
 * session.ts takes the lines, run-script.ts a whole script. Called by cli/, by tests and by embedding programs. Always holds:
 * nothing here knows a stream, a signal handler or a clock; what is said goes to the host, and long commands let go now
 * and then by yielding. To add a command: an entry in a file of commands/, and its name in the table.
 */
export type { Wait } from './commands/command.js';
export { endOfInput, runBatchLine, runScript, STATUS, type ScriptOptions } from './run-script.js';
export { runLine, type Session } from './session.js';
export { startMemtoy, type MemtoyOptions } from './start.js';
export type { FoundFile, Host } from './world.js';

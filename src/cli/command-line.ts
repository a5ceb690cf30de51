import { Command, CommanderError } from 'commander';
import { createRequire } from 'node:module';
import { addBench } from './commands/bench.js';
import { addCompare } from './commands/compare.js';
import { addConformance } from './commands/conformance.js';
import { addCost } from './commands/cost.js';
import { addExplain } from './commands/explain.js';
import { addMachine } from './commands/machine.js';
import { addMemtoy } from './commands/memtoy.js';
import { addPolicy } from './commands/policy.js';
import { addRun } from './commands/run.js';
import { addTrace } from './commands/trace.js';
import { addValidate } from './commands/validate.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import type { Shell } from './shell.js';
import { MmError } from '../errors.js';

const { version: VERSION } = createRequire(import.meta.url)('migrate-on-fault/package.json') as { version: string };

/**
 * Runs one command line. A mistake of the person comes out as one line on `err`, anything else as its stack.
 *
 * @returns the exit code
 */
export async function runCommandLine(
  args: readonly string[],
  shell: Shell,
  err: (text: string) => void,
): Promise<number> {
  const program = programFor(shell, err);
  try {
    if (args.length === 0) {
      err(program.helpInformation());
      return EXIT.badInput;
    }
    await program.parseAsync([...args], { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.badInput; // help was shown instead
    const line = error instanceof CommanderError ? usageLine(error, program, args) : mistakeLine(error);
    if (line !== null) {
      err(`mof: ${line}\n`);
      return EXIT.badInput;
    }
    err(`mof: a bug of this program, please report it.\n${stackOf(error)}\n`);
    return EXIT.bug;
  }
}

function programFor(shell: Shell, err: (text: string) => void): Command {
  const program = new Command('mof')
    .description("where would my program's pages live, and what would that cost, under this policy on that machine?")
    .usage('COMMAND …')
    .version(VERSION, '-V, --version', 'the version of mof')
    .enablePositionalOptions() // memtoy has a -V of its own
    .exitOverride()
    .configureOutput({
      writeOut: shell.out,
      writeErr: err,
      outputError: () => undefined, // becomes one line in usageLine()
    })
    .helpCommand('help [COMMAND]', 'the help of a command')
    .addHelpText('after', `\n${EXAMPLES}\n\n${EXIT_CODES_HELP}`);
  for (const add of [
    addCompare,
    addRun,
    addExplain,
    addTrace,
    addMachine,
    addCost,
    addPolicy,
    addConformance,
    addValidate,
    addMemtoy,
    addBench,
  ])
    add(program, shell);
  return program;
}

const EXAMPLES = `Examples:
  mof compare --demo                                          the main job on a small bundled trace
  mof compare app.parquet default interleave=all bind=0-1     policies side by side, and a verdict
  mof run app.parquet default+lazy@threads                    one run, all its counters
  mof memtoy                                                  a machine to talk to: memory, policies, migration
  mof machine list                                            the machines there are`;

/** What commander objects to, as one line: `unknown option "--machin"; did you mean "--machine"? See: mof run --help`. */
function usageLine(error: CommanderError, program: Command, args: readonly string[]): string {
  const [sentence, hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const quoted = sentence.replace(/'([^']*)'/g, '"$1"').replace(/\.$/, '');
  const nearest = /Did you mean (?:one of )?([^?,]*)/.exec(hint)?.[1];
  const line = nearest === undefined ? quoted : `${quoted}; did you mean "${nearest}"?`;
  return `${line}${nearest === undefined ? '.' : ''} See: ${commandOf(program, args)} --help`;
}

/** `mof trace info` for the commands that `args` begins with. */
function commandOf(program: Command, args: readonly string[]): string {
  let [command, name] = [program, program.name()];
  for (const word of args) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (!next) break;
    [command, name] = [next, `${name} ${word}`];
  }
  return name;
}

/** One line for mistakes of people; null for bugs. */
function mistakeLine(error: unknown): string | null {
  if (error instanceof MmError) return shortened(error.message.replace(/\s*\n\s*/g, ' '));
  return null;
}

/** What was quoted from the command line is cut in its middle if it is very long. */
function shortened(line: string): string {
  return line.replace(/"([^"]{161,})"/g, (_, text: string) => `"${text.slice(0, 100)}…${text.slice(-40)}"`);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

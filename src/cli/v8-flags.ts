import v8 from 'node:v8';

/**
 * Lets V8 put a whole fault into one piece of machine code. By default it stops after 920 bytes of bytecode, and what is left
 * out is called at some 4 ns each, a dozen and more times per fault (bench/README.md has the figures). What fewer than 15 % of
 * the turns of a loop come to it also leaves out by default; the call then costs all turns their registers, and a double that it
 * returns is an object.
 *
 * Holds for all threads of the process, for what they compile from then on; so it is the command's to ask for, not the library's.
 */
export function inlineDeeply(): void {
  v8.setFlagsFromString('--max-inlined-bytecode-size-cumulative=9000');
  v8.setFlagsFromString('--max-inlined-bytecode-size-absolute=20000');
  v8.setFlagsFromString('--reserve-inline-budget-scale-factor=1');
  v8.setFlagsFromString('--min-inlining-frequency=0.01');
}

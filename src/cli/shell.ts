import type { Paint } from '../report/index.js';

/** What a command may use of the process around it. Tests hand in their own. */
export interface Shell {
  /** Writes to standard output. */
  readonly out: (text: string) => void;
  /** Paints for standard output: plain unless it is a terminal. */
  readonly paint: Paint;
  /** Writes to the terminal on standard error; null when there is none, and no progress bar then. */
  readonly terminal: ((text: string) => void) | null;
  /** Where relative paths of plug-ins and packages start. */
  readonly cwd: string;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  /** What the command ends with. */
  exitCode: number;
}

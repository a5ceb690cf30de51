import type { Paint } from '../report/index.js';

/** The streams of the process, for commands that talk: they read as they go. */
export interface Console {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Ctrl-C calls `handler` instead of ending the program. @returns what puts an end to that */
  readonly onInterrupt: (handler: () => void) => () => void;
}

/** What a command may use of the process around it. Tests hand in their own. */
export interface Shell {
  /** Writes to standard output. */
  readonly out: (text: string) => void;
  /** Paints for standard output: plain unless it is a terminal. */
  readonly paint: Paint;
  /** Writes to the terminal on standard error; null when there is none, and no progress bar then. */
  readonly terminal: ((text: string) => void) | null;
  /** Null where there is nobody to talk to. */
  readonly console: Console | null;
  /** Where relative paths of plug-ins and packages start. */
  readonly cwd: string;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  /** What the command ends with. */
  exitCode: number;
}

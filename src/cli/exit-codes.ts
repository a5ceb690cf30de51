/** What the command's exit code says. Listed in `--help`. */
export const EXIT = {
  ok: 0,
  /** A run did not come to its end: out of memory, SIGBUS, or its plug-in crashed. The others are reported. */
  runFailed: 1,
  /** A mistake in what was given: one line on stderr says which. */
  badInput: 2,
  /** A bug of this program: stderr has the stack. */
  bug: 70,
  /** Stopped with Ctrl-C; no half-written file is left. */
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    a run did not end (out of memory, SIGBUS, a plug-in that crashed); the others are reported
  2    bad input: one line on stderr says what and where
  70   a bug of this program: stderr has the stack
  130  interrupted; no half-written file is left`;

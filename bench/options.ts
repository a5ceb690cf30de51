import { parseArgs } from 'node:util';
import { MmError } from '../src/errors.js';

export const USAGE = `npm run bench -- [--json OUT] [--only TEXT] [--pages N] [--rounds N] [--time MS] [--compare BASE]

Times the cases of bench/cases/, each in a process of its own, and prints a table with the ratio to the same work in plain C.

  --json OUT     writes what was measured to OUT
  --compare BASE two builds instead: this one, and that of BASE, a commit or a file that --json wrote. Both are run in turn,
                 a fresh process each, if the commit can be built; else what was written down is compared with
  --only TEXT    only cases whose name contains TEXT; several with commas: tlb-hit,swap-cache
  --pages N      working set in pages of 4 KiB, a multiple of 4096 from 16384 on (default 262144, 1 GiB)
  --rounds N     processes per case, between two runs of the reference each (default 3; 5 to compare)
  --time MS      time that a process samples (default 600)
  --smoke        a moment per case on a small working set, one case per question unless --only says which: does it all run?
  --list         the names of the cases`;

export interface BenchOptions {
  readonly json: string | null;
  readonly compare: string | null;
  readonly only: readonly string[];
  readonly pages: number;
  readonly rounds: number;
  readonly timeMs: number;
  readonly isSmoke: boolean;
  readonly wants: 'help' | 'list' | 'table';
}

/** @throws MmError BAD_OPTION */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parse(args);
  const { smoke } = values;
  const options: BenchOptions = {
    json: values.json ?? null,
    compare: values.compare ?? null,
    only: values.only.split(',').filter(Boolean),
    pages: smoke ? 16_384 : whole('--pages', values.pages),
    rounds: smoke ? 1 : whole('--rounds', values.rounds ?? (values.compare === undefined ? '3' : '5')),
    timeMs: smoke ? 40 : whole('--time', values.time),
    isSmoke: smoke,
    wants: values.help ? 'help' : values.list ? 'list' : 'table',
  };
  if (options.pages % 4096 !== 0 || options.pages < 16_384)
    throw bad(`--pages ${values.pages}: expected a multiple of 4096 from 16384 on`);
  return options;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'string' },
        compare: { type: 'string' },
        only: { type: 'string', default: '' },
        pages: { type: 'string', default: '262144' },
        rounds: { type: 'string' },
        time: { type: 'string', default: '600' },
        smoke: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    const [sentence] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    throw bad(sentence.replace(/\.$/, ''));
  }
}

function whole(option: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw bad(`${option} ${text}: expected a whole number from 1 on`);
  return Number(text);
}

function bad(what: string): MmError {
  return new MmError('BAD_OPTION', `${what}. See: npm run bench -- --help`);
}

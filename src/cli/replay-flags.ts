import { Option, type Command } from 'commander';
import { decimalNumber, fileName, memoryOf, oneOf, repeatOf, wholeNumber } from './option-values.js';
import { DEFAULT_MACHINE } from '../hardware/index.js';
import { DEFAULT_OPTIONS, parseMomentOption, type MemoryLimit, type Moment, type ReplayOptions } from '../run/index.js';

/** Options that `compare` and `run` share, as commander hands them over. */
export interface ReplayFlags {
  readonly machine: string;
  readonly seed: number;
  readonly json?: string;
  readonly trace?: string;
  readonly demo?: true;
  readonly printWiring?: true;
  /** Only several runs have these. */
  readonly jobs?: number;
  readonly sensitivity?: true;
  readonly order: ReplayOptions['order'];
  readonly hitNs: number;
  readonly mlp: number;
  readonly from?: Moment;
  readonly until?: Moment;
  readonly repeat: ReplayOptions['repeat'];
  readonly memory: readonly MemoryLimit[];
}

/** Declares them. They hold for all runs of the command. */
export function addReplayFlags(command: Command): Command {
  const initial = DEFAULT_OPTIONS;
  const moment = (option: string) => (text: string) => parseMomentOption(option, text);
  return command
    .option('--machine <NAME|FILE>', 'a bundled machine (mof machine list) or the file of one', DEFAULT_MACHINE)
    .option('--json <FILE>', 'write all results as JSON; - for standard output, and no table then', fileName('--json'))
    .option('--seed <N>', 'start of the random numbers', wholeNumber('--seed', 0), 1)
    .addOption(
      new Option(
        '--memory <NODE:SIZE|SHARE%>',
        "another size of a node, or a share of the trace's touched pages; repeatable",
      )
        .argParser(memoryOf)
        .default(initial.memory, 'as the machine says'),
    )
    .addOption(
      new Option('--repeat <N|SECONDS>', 'replay the region of interest N times, or for e.g. 10s of virtual time')
        .argParser(repeatOf)
        .default(initial.repeat, '1'),
    )
    .option(
      '--from <MOMENT>',
      'start of the region of interest (default: first row of a second thread)',
      moment('--from'),
    )
    .option('--until <MOMENT>', 'its end (default: the end)', moment('--until'))
    .option(
      '--order <rows|clocks>',
      'effects in row order, or the CPU furthest behind goes next',
      oneOf('--order', ['rows', 'clocks']),
      initial.order,
    )
    .option('--hit-ns <NS>', 'cost of an access that hits a cache', decimalNumber('--hit-ns', 0), initial.hitNs)
    .option('--mlp <N>', 'misses in flight at once; divides their latency', decimalNumber('--mlp', 1), initial.mlp)
    .option('--demo', 'use the bundled trace mini-stream-4t; no TRACE then')
    .option('--print-wiring', 'show which parts each run is composed of, and do not run');
}

export function replayOptions(flags: ReplayFlags): ReplayOptions {
  const { order, hitNs, mlp, repeat, memory } = flags;
  return { order, hitNs, mlp, repeat, memory, from: flags.from ?? null, until: flags.until ?? null };
}

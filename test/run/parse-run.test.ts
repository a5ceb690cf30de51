import { describe, expect, it } from 'vitest';
import { MmError } from '../../src/errors.js';
import { parseMomentOption, parseRun } from '../../src/run/parse-run.js';
import { DEFAULT_SWITCHES, type PolicySpec, type RunSpec, type Switches } from '../../src/run/run-spec.js';
import { ACTIONS, SWITCHES } from '../../src/run/words.js';

const policy = (name: string, rest: Partial<PolicySpec> = {}): PolicySpec => ({
  name,
  nodes: null,
  flags: [],
  options: {},
  ...rest,
});
const HOOKS_ON = { hookSwap: true, hookFile: true, hookShmem: true };

/** The grammar by example: a word, and the parts of its meaning that are not at their default. */
const START = { kind: 'start' } as const;

const GOOD: readonly (readonly [string, Partial<Omit<RunSpec, 'switches'>> & { switches?: Partial<Switches> }])[] = [
  ['default', {}],
  ['interleave=all', { policy: policy('interleave', { nodes: 'all' }) }],
  ['bind=0,2:static', { policy: policy('bind', { nodes: '0,2', flags: ['static'] }) }],
  ['bind=0-1,3:relative', { policy: policy('bind', { nodes: '0-1,3', flags: ['relative'] }) }],
  ['preferred', { policy: policy('preferred') }],
  ['preferred=+1', { policy: policy('preferred', { nodes: '+1' }) }],
  ['bind=!+0', { policy: policy('bind', { nodes: '!+0' }) }],
  ['bind=!1+swap=off', { policy: policy('bind', { nodes: '!1' }), switches: { swap: false } }],
  ['interleave=0,all', { policy: policy('interleave', { nodes: '0,all' }) }],
  [
    'weighted-interleave=0-2:weights=3/2/1',
    { policy: policy('weighted-interleave', { nodes: '0-2', options: { weights: '3/2/1' } }) },
  ],
  ['bind=0:numa_balancing', { policy: policy('bind', { nodes: '0', flags: ['numa_balancing'] }) }],
  [
    'preferred-many=0-1:static:numa_balancing',
    { policy: policy('preferred-many', { nodes: '0-1', flags: ['static', 'numa_balancing'] }) },
  ],
  ['./mine.ts=0-1:stride=4', { policy: policy('./mine.ts', { nodes: '0-1', options: { stride: '4' } }) }],
  ['/x/y.mjs', { policy: policy('/x/y.mjs') }],
  ['../p.ts:deep=on:name="a:b+c"', { policy: policy('../p.ts', { options: { deep: 'on', name: 'a:b+c' } }) }],
  ['@scope/name=all', { policy: policy('@scope/name', { nodes: 'all' }) }],
  ['./node_modules/@scope/p.js+swap=off', { policy: policy('./node_modules/@scope/p.js'), switches: { swap: false } }],
  ['"./c++/mine.ts"=0', { policy: policy('./c++/mine.ts', { nodes: '0' }) }],
  [
    'default+lazy',
    { actions: [{ text: 'lazy', kind: 'lazy', region: null, moment: { kind: 'start' } }], switches: HOOKS_ON },
  ],
  [
    'default+lazy@threads',
    {
      actions: [{ text: 'lazy@threads', kind: 'lazy', region: null, moment: { kind: 'threads' } }],
      switches: HOOKS_ON,
    },
  ],
  [
    'default+lazy=[heap]@50%',
    {
      actions: [{ text: 'lazy=[heap]@50%', kind: 'lazy', region: '[heap]', moment: { kind: 'percent', percent: 50 } }],
      switches: HOOKS_ON,
    },
  ],
  [
    'default+lazy="a:b@c+d"@start',
    {
      actions: [{ text: 'lazy="a:b@c+d"@start', kind: 'lazy', region: 'a:b@c+d', moment: { kind: 'start' } }],
      switches: HOOKS_ON,
    },
  ],
  [
    'default+lazy@event:init done',
    {
      actions: [
        { text: 'lazy@event:init done', kind: 'lazy', region: null, moment: { kind: 'event', text: 'init done' } },
      ],
      switches: HOOKS_ON,
    },
  ],
  [
    'default+lazy@event:"a \\"quoted\\" + and @: = \\\\"+hooks=off',
    {
      actions: [
        {
          text: 'lazy@event:"a \\"quoted\\" + and @: = \\\\"',
          kind: 'lazy',
          region: null,
          moment: { kind: 'event', text: 'a "quoted" + and @: = \\' },
        },
      ],
    },
  ],
  [
    'default+task=3:1@row:90000',
    {
      actions: [
        { text: 'task=3:1@row:90000', kind: 'task', thread: 3, node: '1', moment: { kind: 'row', row: 90000 } },
      ],
    },
  ],
  ['default+task=all:1', { actions: [{ text: 'task=all:1', kind: 'task', thread: 'all', node: '1', moment: START }] }],
  ['default+move', { actions: [{ text: 'move', kind: 'move', region: null, moment: START }] }],
  [
    'default+move=[heap]@threads',
    { actions: [{ text: 'move=[heap]@threads', kind: 'move', region: '[heap]', moment: { kind: 'threads' } }] },
  ],
  [
    'bind=0+migrate=0,2-3:+1@50%',
    {
      policy: policy('bind', { nodes: '0' }),
      actions: [
        {
          text: 'migrate=0,2-3:+1@50%',
          kind: 'migrate',
          from: '0,2-3',
          to: '+1',
          moment: { kind: 'percent', percent: 50 },
        },
      ],
    },
  ],
  ['default+swapout', { actions: [{ text: 'swapout', kind: 'swapout', moment: START }] }],
  [
    'default+offline=1@50%',
    { actions: [{ text: 'offline=1@50%', kind: 'offline', node: '1', moment: { kind: 'percent', percent: 50 } }] },
  ],
  [
    'default+cpuset=2-3@row:7',
    {
      actions: [
        { text: 'cpuset=2-3@row:7', kind: 'cpuset', nodes: '2-3', migrates: true, moment: { kind: 'row', row: 7 } },
      ],
    },
  ],
  [
    'default+cpuset=1:stay+cpuset=+0:migrate',
    {
      actions: [
        { text: 'cpuset=1:stay', kind: 'cpuset', nodes: '1', migrates: false, moment: START },
        { text: 'cpuset=+0:migrate', kind: 'cpuset', nodes: '+0', migrates: true, moment: START },
      ],
    },
  ],
  ['default+lazy+hooks=off', { actions: [{ text: 'lazy', kind: 'lazy', region: null, moment: { kind: 'start' } }] }],
  [
    'default+hook-file=off+lazy',
    {
      actions: [{ text: 'lazy', kind: 'lazy', region: null, moment: { kind: 'start' } }],
      switches: { ...HOOKS_ON, hookFile: false },
    },
  ],
  ['default+hooks=on', { switches: HOOKS_ON }],
  ['default+automigrate=off', {}],
  ['default+automigrate=direct', { switches: { autoMigrate: { lazy: false, intervalS: 30, maxMapcount: 1 } } }],
  [
    'default+hook-file=off+automigrate=lazy:interval=1:mapcount=3',
    { switches: { ...HOOKS_ON, hookFile: false, autoMigrate: { lazy: true, intervalS: 5, maxMapcount: 3 } } },
  ],
  ['default+hooks=on+hook-file=off', { switches: { ...HOOKS_ON, hookFile: false } }],
  ['default+hook-file=off+hooks=on', { switches: HOOKS_ON }],
  ['default+hook-swap=on', { switches: { hookSwap: true } }],
  ['default+hook-shmem=on', { switches: { hookShmem: true } }],
  [
    'default+vma=heap:interleave=all',
    { switches: { vmas: [{ region: 'heap', policy: policy('interleave', { nodes: 'all' }) }] } },
  ],
  [
    'default+vma=[heap]:bind=0,2:static+vma=12:preferred=+1+vma=/lib/libc.so.6:./p.ts=0:x=1',
    {
      switches: {
        vmas: [
          { region: '[heap]', policy: policy('bind', { nodes: '0,2', flags: ['static'] }) },
          { region: '12', policy: policy('preferred', { nodes: '+1' }) },
          { region: '/lib/libc.so.6', policy: policy('./p.ts', { nodes: '0', options: { x: '1' } }) },
        ],
      },
    },
  ],
  ['default+vma="a:b":default', { switches: { vmas: [{ region: 'a:b', policy: policy('default') }] } }],
  ['default+cpus=pack', { switches: { cpus: 'pack' } }],
  ['default+cpus=3,0-2,3', { switches: { cpus: [3, 0, 1, 2, 3] } }],
  ['default+profile=linux-6.12', { switches: { profile: 'linux-6.12' } }],
  ['default+profile=mof-2006+swap=off', { switches: { profile: 'mof-2006', swap: false } }],
  [
    'default+readahead=on+fault-around=on+page-cluster=3',
    { switches: { readahead: true, faultAround: true, pageCluster: 3 } },
  ],
  ['default+swap=off+swap=on', {}],
  ['default+thp=always', { switches: { thp: 'always' } }],
  ['default+thp=madvise', { switches: { thp: 'madvise' } }],
  ['default+thp=never+balancing=off+demotion=off+automigrate=off', {}],
  [
    'default+balancing=normal:scan-size=64',
    { switches: { balancing: { name: 'normal', options: { 'scan-size': '64' } } } },
  ],
];

/** Words that do not parse: the word, the character the line points at, and how the line goes on. */
const BAD: readonly (readonly [string, number, string])[] = [
  ['', 1, 'the name of a policy is missing'],
  ['+lazy', 1, 'the name of a policy is missing'],
  ['default+lasy@threads', 9, 'unknown word "lasy"; did you mean "lazy"?'],
  ['default+hocks=on', 9, 'unknown word "hocks"; did you mean "hooks"?'],
  ['default+interleave=all', 9, 'unknown word "interleave"; expected an action (lazy, move, '],
  ['default++lazy', 9, 'an action or a switch is missing here'],
  ['default+', 9, 'an action or a switch is missing here'],
  ['lazy@threads', 5, '"@threads": a moment belongs to an action'],
  ['hooks=on', 1, '"hooks" is no policy; a run starts with one, e.g. default+hooks=on'],
  ['default@threads', 8, '"@threads": a moment belongs to an action'],
  ['two words', 1, '"two words" cannot be the name of a policy'],
  ['bind=', 6, '"" is not a list of nodes'],
  ['bind=0-', 6, '"0-" is not a list of nodes'],
  ['bind=+!0', 6, '"+!0" is not a list of nodes'],
  ['bind=all,0', 6, '"all,0" is not a list of nodes'],
  ['bind=0:statik', 8, 'unknown flag "statik"; did you mean "static"?'],
  ['bind=0:xyzzyx', 8, 'unknown flag "xyzzyx"; expected static, relative, numa_balancing or OPTION=VALUE'],
  ['bind=0:static:relative', 15, '"relative" and "static" exclude each other'],
  ['./p.ts:a=1:a=2', 12, 'option "a" is given twice'],
  ['./p.ts:a=', 10, 'option "a" has no value'],
  ['./p.ts:1=2', 8, '"1" cannot be the name of an option'],
  ['default+lazy@', 14, 'the moment is missing; expected start, threads, row:N, N% or event:TEXT'],
  ['default+lazy@thread', 14, 'unknown moment "thread"; did you mean "threads"?'],
  ['default+lazy@row:-1', 18, '"-1" is not a row number'],
  ['default+lazy@row:', 18, '"" is not a row number'],
  ['default+lazy@101%', 14, '"101%" is not a percentage from 0% to 100%'],
  ['default+lazy@x%', 14, '"x%" is not a percentage from 0% to 100%'],
  ['default+lazy@event:', 20, 'the text of the event is missing'],
  ['default+lazy@event:"a', 20, 'this quote is never closed'],
  ['default+lazy=', 14, 'the region is missing'],
  ['default+lazy=a:b', 15, 'unexpected ":" in the name of a region'],
  ['default+lazy:now', 13, 'unexpected ":"; expected lazy[=REGION][@MOMENT]'],
  ['default+migrate@50%', 9, 'expected migrate=FROM:TO[@MOMENT]'],
  ['default+migrate=0', 18, 'the nodes to move to are missing; expected migrate=FROM:TO'],
  ['default+migrate=0:', 19, '"" is not a list of nodes'],
  ['default+migrate=x:1', 17, '"x" is not a list of nodes'],
  ['default+swapout=0', 17, '"swapout" takes no value; expected swapout[@MOMENT]'],
  ['default+cpuset=1:mirgate', 18, '"mirgate" is neither migrate nor stay'],
  ['default+cpuset=:stay', 16, '"" is not a list of nodes'],
  ['default+task@threads', 9, 'expected task=THREAD|all:NODE[@MOMENT]'],
  ['default+task=3', 15, '"" is not a node number'],
  ['default+task=x:1', 14, '"x" is not a thread number'],
  ['default+task=3:one', 16, '"one" is not a node number'],
  ['default+offline', 9, 'expected offline=NODE[@MOMENT]'],
  ['default+offline=0-1', 17, '"0-1" is not a node number; expected offline=NODE[@MOMENT]'],
  ['default+hooks', 9, '"hooks" needs a value: hooks=off|on'],
  ['default+hooks=', 15, '"hooks" needs a value: hooks=off|on'],
  ['default+hooks@threads', 9, '"hooks" needs a value: hooks=off|on'],
  ['default+hooks=on@threads', 17, '"hooks" holds for the whole run and takes no moment'],
  ['default+swap=of', 14, '"of" is no value of "swap"; did you mean '],
  ['default+thp=sometimes', 13, '"sometimes" is no value of "thp"; expected thp=never|madvise|always'],
  ['default+automigrate=lazi', 21, '"lazi" is no value of "automigrate"; expected automigrate=off|direct|lazy'],
  ['default+automigrate=direct@50%', 27, '"automigrate" holds for the whole run and takes no moment'],
  ['default+automigrate=lazy:30', 26, 'expected interval=SECONDS or mapcount=N'],
  [
    'default+automigrate=lazy:intervall=3',
    26,
    '"intervall" is no option of "automigrate"; expected interval or mapcount',
  ],
  ['default+vma=heap', 13, 'expected vma=REGION:POLICY'],
  ['default+vma=:default', 13, 'the region is missing'],
  ['default+vma=heap:', 18, 'the name of a policy is missing'],
  ['default+vma=heap:bind=x', 23, '"x" is not a list of nodes'],
  ['default+cpus=spraed', 14, '"spraed" is no placement of threads; did you mean "spread"?'],
  ['default+cpus=0,7-4', 16, '"7-4" is no CPU or range of CPUs'],
  ['default+cpus=0,,1', 16, '"" is no CPU or range of CPUs'],
  ['default+profile=mov', 17, 'no profile "mov"; did you mean "mof"?'],
  [
    'default+profile=windows',
    17,
    'no profile "windows"; there are mof, mof-2006, direct-2005, swap-2006, linux-5.15, linux-6.1, linux-6.12',
  ],
  ['default+page-cluster=-1', 22, '"-1" is no value of "page-cluster"; expected a whole number from 0 to 10'],
  ['default+balancing=normal=0', 19, 'a balancer takes :OPTION=VALUE, and neither nodes nor flags'],
];

const NOT_THERE: readonly (readonly [string, number, string])[] = [
  ['default+demotion=on', 9, '"demotion=on" is not there yet: '],
];

function mistakeOf(act: () => unknown): MmError {
  try {
    act();
  } catch (error) {
    if (error instanceof MmError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('a RUN word', () => {
  it('has its tables of examples whole', () => {
    expect([GOOD.length, BAD.length, NOT_THERE.length]).toEqual([56, 66, 1]);
  });

  it.each(GOOD)('%s is a policy and what happens to it', (text, expected) => {
    expect(parseRun(text)).toEqual({
      text,
      policy: expected.policy ?? policy('default'),
      actions: expected.actions ?? [],
      switches: { ...DEFAULT_SWITCHES, ...expected.switches },
    });
  });

  it.each(BAD)('%s is refused at character %i: %s', (text, at, line) => {
    const mistake = mistakeOf(() => parseRun(text));
    expect(mistake.code).toBe('BAD_RUN');
    expect(mistake.message).toContain(`cannot read run "${text}": at character ${String(at)}: ${line}`);
    expect(mistake.message).not.toContain('\n');
  });

  it.each(NOT_THERE)('%s says at character %i that the word is known but not carried out', (text, at, line) => {
    const mistake = mistakeOf(() => parseRun(text));
    expect(mistake.code).toBe('NOT_THERE_YET');
    expect(mistake.message).toContain(`cannot read run "${text}": at character ${String(at)}: ${line}`);
  });

  it('has an example in the tables for every action and switch there is', () => {
    const words = [...GOOD, ...NOT_THERE].map(([text]) => text).join(' ');
    for (const word of [...ACTIONS, ...SWITCHES]) expect(words).toMatch(new RegExp(`\\+${word.name}\\b`));
  });
});

describe('a MOMENT as an option of the command', () => {
  it('names the option when it cannot be read', () => {
    expect(parseMomentOption('--from', 'event:init done')).toEqual({ kind: 'event', text: 'init done' });
    const mistake = mistakeOf(() => parseMomentOption('--from', 'rwo:5'));
    expect(mistake.code).toBe('BAD_OPTION');
    expect(mistake.message).toContain(
      'cannot read --from "rwo:5": at character 1: unknown moment "rwo:5"; did you mean "row"?',
    );
  });
});

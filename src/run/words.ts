/**
 * Every word a RUN may hold, in one table: the parser, `--help`, the report and the error lines read it. `isThere` says whether
 * this version carries the word out; the others are recognised and answered with one line that says so.
 */
export interface Word {
  readonly name: string;
  /** How it is written, without the leading `+`. */
  readonly syntax: string;
  readonly about: string;
  readonly isThere: boolean;
}

export interface ProfileWord extends Word {
  /** A kernel of the past, there to be compared with: nobody is told to run it. */
  readonly isHistory: boolean;
}

export interface SwitchWord extends Word {
  /** What holds when the word is not given. */
  readonly initial: string;
  /** All values there are; null: free text, checked where it is parsed. */
  readonly values: readonly string[] | null;
}

const OFF_ON = ['off', 'on'] as const;

export const ACTIONS: readonly Word[] = [
  {
    name: 'lazy',
    syntax: 'lazy[=REGION][@MOMENT]',
    about: 'unmap what mbind(MOVE|LAZY) would, so that pages follow their next toucher',
    isThere: true,
  },
  {
    name: 'move',
    syntax: 'move[=REGION][@MOMENT]',
    about: "mbind(MOVE) with the run's policy by the process itself",
    isThere: true,
  },
  {
    name: 'migrate',
    syntax: 'migrate=FROM:TO[@MOMENT]',
    about: 'migrate_pages by another process, nodes FROM to nodes TO',
    isThere: true,
  },
  { name: 'swapout', syntax: 'swapout[@MOMENT]', about: 'the whole process goes out to swap', isThere: true },
  {
    name: 'cpuset',
    syntax: 'cpuset=NODES[:migrate|:stay][@MOMENT]',
    about: 'the allowed nodes change; pages move along (the default) or stay',
    isThere: true,
  },
  {
    name: 'task',
    syntax: 'task=THREAD|all:NODE[@MOMENT]',
    about: 'the scheduler relocates a thread, or all of a process',
    isThere: true,
  },
  {
    name: 'offline',
    syntax: 'offline=NODE[@MOMENT]',
    about: 'the memory of a node is taken away: its pages leave, or are named with the reason',
    isThere: true,
  },
];

export const SWITCHES: readonly SwitchWord[] = [
  onOff('hooks', 'off', 'migrate-on-fault at swap, file and shmem faults; lazy implies it'),
  onOff('hook-swap', 'off', 'the hook at swap-cache faults alone'),
  onOff('hook-file', 'off', 'the hook at file faults alone'),
  onOff('hook-shmem', 'off', 'the hook at shared-memory faults alone'),
  {
    name: 'automigrate',
    syntax: 'automigrate=off|direct|lazy[:interval=SECONDS][:mapcount=N]',
    about:
      'pages follow a relocated thread, moved or unmapped (lazy implies hooks); then it stays for the interval (30); pages mapped more than N (1) times stay',
    isThere: true,
    initial: 'off',
    values: null,
  },
  {
    name: 'balancing',
    syntax: 'balancing=off|normal|tiering|NAME|FILE[:OPTION=VALUE…]',
    about: 'NUMA balancing of the kernel, its tiering, or another balancer: a file of policies/balancers, or yours',
    isThere: true,
    initial: 'off',
    values: null,
  },
  { ...onOff('demotion', 'off', 'reclaim demotes to a slower node'), isThere: false },
  {
    name: 'vma',
    syntax: 'vma=REGION:POLICY',
    about: 'the policy of all regions whose id, name or kind is REGION, as libnuma users set it',
    isThere: true,
    initial: '',
    values: null,
  },
  {
    name: 'cpus',
    syntax: 'cpus=blocks|spread|pack|LIST',
    about: 'threads to CPUs: equal groups per node, round robin, node after node, or thread i on the i-th CPU of LIST',
    isThere: true,
    initial: 'blocks',
    values: null,
  },
  {
    name: 'profile',
    syntax: 'profile=mof|mof-2006|direct-2005|swap-2006|linux-5.15|linux-6.1|linux-6.12',
    about: 'whose rules hold',
    isThere: true,
    initial: 'mof',
    values: null,
  },
  onOff('swap', 'on', 'a swap area as large as memory'),
  {
    name: 'thp',
    syntax: 'thp=never|madvise|always',
    about: 'transparent huge pages of 2 MiB: none, in areas marked by madvise (a trace marks none), or in all',
    isThere: true,
    initial: 'never',
    values: ['never', 'madvise', 'always'],
  },
  onOff('readahead', 'off', 'file read-ahead'),
  onOff('fault-around', 'off', 'a file fault maps its cached neighbours too'),
  {
    name: 'page-cluster',
    syntax: 'page-cluster=N',
    about: 'swap read-ahead of 2^N pages',
    isThere: true,
    initial: '0',
    values: null,
  },
];

/** Flags of a policy, `:FLAG`. */
export const FLAGS: readonly Word[] = [
  { name: 'static', syntax: ':static', about: 'nodes stay as given when the allowed nodes change', isThere: true },
  { name: 'relative', syntax: ':relative', about: 'nodes count within the allowed nodes', isThere: true },
  {
    name: 'numa_balancing',
    syntax: ':numa_balancing',
    about: 'with balancing, pages follow their users within the nodes',
    isThere: true,
  },
];

/** Values of `profile=`. */
export const PROFILES: readonly ProfileWord[] = [
  profile('mof', 'migrate-on-fault as its later reviewers corrected it, on the rules of 6.12', true),
  profile('mof-2006', 'the posted prototype on 2.6.16, its defects included', true, true),
  profile('direct-2005', 'Direct Migration V1 of November 2005', true, true),
  profile('swap-2006', 'swap migration, where every mover only evicts', true, true),
  profile('linux-5.15', 'mainline 6.1 with device memory as in 5.15', true, true),
  profile('linux-6.1', 'mainline 6.1', true),
  profile('linux-6.12', 'mainline 6.12', true),
];

export const MOMENTS: readonly Pick<Word, 'syntax' | 'about'>[] = [
  { syntax: 'start', about: 'before the first row of the process (the default)' },
  { syntax: 'threads', about: 'when the process creates its second thread' },
  { syntax: 'row:N', about: 'before row N of the trace' },
  { syntax: 'N%', about: 'when that part of the rows from the first to the last of the process is done' },
  { syntax: 'event:TEXT', about: 'at the first output whose text holds TEXT; quote TEXT if it holds a +' },
];

/** Names of the words of `table` that this version carries out. */
export function namesThere(table: readonly Word[]): string {
  return table
    .filter((word) => word.isThere)
    .map((word) => word.name)
    .join(', ');
}

function onOff(name: string, initial: 'off' | 'on', about: string): SwitchWord {
  const syntax = `${name}=${initial}|${initial === 'off' ? 'on' : 'off'}`;
  return { name, syntax, about, isThere: true, initial, values: OFF_ON };
}

function profile(name: string, about: string, isThere: boolean, isHistory = false): ProfileWord {
  return { name, syntax: `profile=${name}`, about, isThere, isHistory };
}

import { unmapsLazily } from './parse-run.js';
import { quoteIfNeeded } from './piece.js';
import {
  DEFAULT_SWITCHES,
  type ActionSpec,
  type Moment,
  type PolicySpec,
  type RunSpec,
  type Switches,
} from './run-spec.js';

/** The shortest RUN word that means the same as `spec`: what is at its default is left out. */
export function printRun(spec: RunSpec): string {
  return [printPolicy(spec.policy), ...spec.actions.map(printAction), ...switchWords(spec)].join('+');
}

export function printPolicy(policy: PolicySpec): string {
  const nodes = policy.nodes === null ? '' : `=${policy.nodes}`;
  const flags = policy.flags.map((flag) => `:${flag}`).join('');
  const options = Object.entries(policy.options).map(([key, value]) => `:${key}=${quoteIfNeeded(value)}`);
  return `${printName(policy.name)}${nodes}${flags}${options.join('')}`;
}

function printMoment(moment: Moment): string {
  if (moment.kind === 'row') return `row:${String(moment.row)}`;
  if (moment.kind === 'percent') return `${String(moment.percent)}%`;
  if (moment.kind === 'event') return `event:${quoteIfNeeded(moment.text)}`;
  return moment.kind;
}

function printAction(action: ActionSpec): string {
  const when = action.moment.kind === 'start' ? '' : `@${printMoment(action.moment)}`;
  return `${actionWord(action)}${when}`;
}

function actionWord(action: ActionSpec): string {
  switch (action.kind) {
    case 'lazy':
    case 'move':
      return `${action.kind}${action.region === null ? '' : `=${quoteIfNeeded(action.region)}`}`;
    case 'migrate':
      return `migrate=${action.from}:${action.to}`;
    case 'swapout':
      return 'swapout';
    case 'offline':
      return `offline=${action.node}`;
    case 'cpuset':
      return `cpuset=${action.nodes}${action.migrates ? '' : ':stay'}`;
    case 'task':
      return `task=${String(action.thread)}:${action.node}`;
  }
}

/** Scoped packages and paths keep their `@` bare. */
function printName(name: string): string {
  return /[+:="\\]/.test(name) ? quoteIfNeeded(name) : name;
}

function switchWords(spec: RunSpec): string[] {
  const { switches } = spec;
  const onOff = (isOn: boolean) => (isOn ? 'on' : 'off');
  const words = hookWords(switches, unmapsLazily(spec));
  if (switches.autoMigrate !== null) words.push(autoMigrateWord(switches.autoMigrate));
  if (switches.balancing !== null) {
    const balancer = { ...switches.balancing, nodes: null, flags: [] };
    words.push(`balancing=${printPolicy(balancer)}`);
  }
  const add = (name: string, value: string, key: keyof Switches) => {
    if (switches[key] !== DEFAULT_SWITCHES[key]) words.push(`${name}=${value}`);
  };
  for (const vma of switches.vmas) words.push(`vma=${quoteIfNeeded(vma.region)}:${printPolicy(vma.policy)}`);
  add('cpus', typeof switches.cpus === 'string' ? switches.cpus : switches.cpus.join(','), 'cpus');
  add('profile', switches.profile, 'profile');
  add('swap', onOff(switches.swap), 'swap');
  add('thp', switches.thp, 'thp');
  add('readahead', onOff(switches.readahead), 'readahead');
  add('fault-around', onOff(switches.faultAround), 'faultAround');
  add('page-cluster', String(switches.pageCluster), 'pageCluster');
  return words;
}

function autoMigrateWord({ lazy, intervalS, maxMapcount }: NonNullable<Switches['autoMigrate']>): string {
  const interval = intervalS === 30 ? '' : `:interval=${String(intervalS)}`;
  const mapcount = maxMapcount === 1 ? '' : `:mapcount=${String(maxMapcount)}`;
  return `automigrate=${lazy ? 'lazy' : 'direct'}${interval}${mapcount}`;
}

function hookWords({ hookSwap, hookFile, hookShmem }: Switches, isOnByLazy: boolean): string[] {
  if (hookSwap === hookFile && hookFile === hookShmem) {
    return hookSwap === isOnByLazy ? [] : [`hooks=${hookSwap ? 'on' : 'off'}`];
  }
  const hooks: readonly (readonly [string, boolean])[] = [
    ['hook-swap', hookSwap],
    ['hook-file', hookFile],
    ['hook-shmem', hookShmem],
  ];
  return hooks.filter(([, isOn]) => isOn !== isOnByLazy).map(([name, isOn]) => `${name}=${isOn ? 'on' : 'off'}`);
}

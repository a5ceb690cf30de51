import { nearestName } from '../errors.js';
import { regionOf } from './parse-action.js';
import { parsePolicy } from './parse-policy.js';
import type { Piece } from './piece.js';
import type { Switches } from './run-spec.js';
import { namesThere, PROFILES, type SwitchWord } from './words.js';

export type MutableSwitches = { -readonly [Key in keyof Switches]: Switches[Key] };

/** The kernel refuses more (vm.page-cluster has no upper limit there, but 2^10 pages are already 4 MiB per fault). */
const MAX_PAGE_CLUSTER = 10;
const MAX_CPU = 65535;

/** Reads `NAME=VALUE` into `into`; a later word refines an earlier one. */
export function parseSwitch(piece: Piece, word: SwitchWord, into: MutableSwitches): void {
  const at = piece.find('=:@');
  if (at < 0 || piece.value[at] !== '=') piece.fail(`"${word.name}" needs a value: ${word.syntax}`);
  const value = piece.slice(at + 1);
  checkValue(value, word);
  if (!word.isThere) return notThere(piece, value, word);
  const isOn = value.value === 'on';
  switch (word.name) {
    case 'hooks':
      into.hookSwap = into.hookFile = into.hookShmem = isOn;
      break;
    case 'hook-swap':
      into.hookSwap = isOn;
      break;
    case 'hook-file':
      into.hookFile = isOn;
      break;
    case 'hook-shmem':
      into.hookShmem = isOn;
      break;
    case 'automigrate':
      into.autoMigrate = autoMigrateOf(value, word);
      break;
    case 'balancing':
      into.balancing = balancingOf(value);
      break;
    case 'vma':
      into.vmas = [...into.vmas, vmaOf(value)];
      break;
    case 'cpus':
      into.cpus = cpusOf(value);
      break;
    case 'profile':
      into.profile = profileOf(value);
      break;
    case 'swap':
      into.swap = isOn;
      break;
    case 'thp':
      into.thp = value.value as Switches['thp']; // one of the word's values, by checkValue()
      break;
    case 'readahead':
      into.readahead = isOn;
      break;
    case 'fault-around':
      into.faultAround = isOn;
      break;
    case 'page-cluster':
      into.pageCluster = pageClusterOf(value);
      break;
  }
}

function checkValue(value: Piece, word: SwitchWord): void {
  if (value.value === '') value.fail(`"${word.name}" needs a value: ${word.syntax}`);
  if (word.values === null || word.values.includes(value.value)) return;
  const moment = value.find('@');
  if (moment >= 0) value.fail(`"${word.name}" holds for the whole run and takes no moment`, moment);
  const near = nearestName(value.value, word.values);
  value.fail(
    `"${value.value}" is no value of "${word.name}"; ${near === undefined ? `expected ${word.syntax}` : `did you mean "${near}"?`}`,
  );
}

/** A switch that is not carried out yet may still be set to what holds anyway. */
function notThere(piece: Piece, value: Piece, word: SwitchWord): void {
  if (value.value === word.initial) return;
  piece.fail(
    `"${piece.value}" is not there yet: ${word.about}; this version carries out ${word.name}=${word.initial}`,
    0,
    'NOT_THERE_YET',
  );
}

const LEAST_INTERVAL = 5;
const MOST_INTERVAL = 300;

/** `off`, or `direct|lazy[:interval=SECONDS][:mapcount=N]`; the interval is clipped as the kernel does. */
function autoMigrateOf(value: Piece, { name, syntax }: SwitchWord): Switches['autoMigrate'] {
  const [mode, ...options] = value.split(':');
  const moment = value.find('@');
  if (moment >= 0) value.fail(`"${name}" holds for the whole run and takes no moment`, moment);
  if (!['off', 'direct', 'lazy'].includes(mode.value))
    mode.fail(`"${mode.value}" is no value of "${name}"; expected ${syntax}`);
  const settings = { lazy: mode.value === 'lazy', intervalS: 30, maxMapcount: 1 };
  for (const option of options) {
    const [key, text] = option.cut('=');
    const number = Number(text?.value);
    if (!text || !/^\d{1,9}$/.test(text.value)) option.fail(`expected interval=SECONDS or mapcount=N, whole numbers`);
    if (key.value === 'interval') settings.intervalS = Math.min(MOST_INTERVAL, Math.max(LEAST_INTERVAL, number));
    else if (key.value === 'mapcount') settings.maxMapcount = Math.max(1, number);
    else key.fail(`"${key.value}" is no option of "${name}"; expected interval or mapcount`);
  }
  return mode.value === 'off' ? null : settings;
}

/** `off`, or the name or file of a balancer with its options. */
function balancingOf(value: Piece): Switches['balancing'] {
  if (value.value === 'off') return null;
  const { name, options, nodes, flags } = parsePolicy(value);
  if (nodes !== null || flags.length > 0) value.fail('a balancer takes :OPTION=VALUE, and neither nodes nor flags');
  return { name, options };
}

function vmaOf(value: Piece): Switches['vmas'][number] {
  const [region, policy] = value.cut(':');
  if (!policy) return value.fail('expected vma=REGION:POLICY, e.g. vma=heap:interleave=all');
  return { region: regionOf(region), policy: parsePolicy(policy) };
}

function cpusOf(value: Piece): Switches['cpus'] {
  const text = value.value;
  if (text === 'blocks' || text === 'spread' || text === 'pack') return text;
  if (!/^[\d,-]+$/.test(text)) {
    const near = nearestName(text, ['blocks', 'spread', 'pack']);
    value.fail(
      `"${text}" is no placement of threads; ${near === undefined ? 'expected blocks, spread, pack or a list of CPUs like 0,4-7' : `did you mean "${near}"?`}`,
    );
  }
  return value.split(',').flatMap(cpuRange);
}

function cpuRange(piece: Piece): number[] {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(piece.value);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last < first || last > MAX_CPU)
    piece.fail(`"${piece.value}" is no CPU or range of CPUs; expected e.g. 0,4-7`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function profileOf(value: Piece): string {
  const known = PROFILES.find((profile) => profile.name === value.value);
  if (!known) {
    const near = nearestName(
      value.value,
      PROFILES.map((profile) => profile.name),
    );
    return value.fail(
      `no profile "${value.value}"; ${near === undefined ? `there are ${namesThere(PROFILES)}` : `did you mean "${near}"?`}`,
    );
  }
  if (!known.isThere) {
    value.fail(
      `profile "${known.name}" is not there yet: ${known.about}; this version carries out ${namesThere(PROFILES)}`,
      0,
      'NOT_THERE_YET',
    );
  }
  return known.name;
}

function pageClusterOf(value: Piece): number {
  const cluster = Number(value.value);
  if (!/^\d+$/.test(value.value) || cluster > MAX_PAGE_CLUSTER) {
    value.fail(
      `"${value.value}" is no value of "page-cluster"; expected a whole number from 0 to ${String(MAX_PAGE_CLUSTER)}`,
    );
  }
  return cluster;
}

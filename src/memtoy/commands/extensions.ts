import { errnoName, MmError, ModelBug } from '../../errors.js';
import { checkMachine, hookSwitches } from '../../engine/index.js';
import { parseNodes } from '../../hardware/index.js';
import { VM_EXEC, VM_READ, VM_WRITE } from '../../mm/index.js';
import { asNodeId, type NodeId } from '../../units.js';
import { checkCall, mistake, saidOf } from '../mistake.js';
import type { Toy } from '../toy.js';
import { pagesOf, type Word, type Words } from '../words.js';
import type { Command } from './command.js';

/** What memtoy does not have: the machine itself. Written out in full; mistakes name line and column. */
export const EXTENSIONS: readonly Command[] = [
  {
    name: 'migrate_on_fault',
    usage: 'on|off',
    about: 'whether faults move misplaced pages; at first it is on, if the profile has it',
    run: migrateOnFault,
  },
  {
    name: 'trace',
    usage: 'on|off',
    about: 'print the steps of faults and migrations as they are taken',
    run: trace,
  },
  {
    name: 'swap',
    usage: 'PAGES',
    about: 'the size of swap; 0 brings everything back and turns it off',
    run: swap,
  },
  {
    name: 'node',
    usage: 'NODE full|free',
    about: 'somebody else takes all free memory of a node, or gives it back',
    run: node,
  },
  { name: 'invariants', usage: '', about: 'recount the whole machine, and say what does not add up', run: invariants },
  {
    name: 'assumptions',
    usage: '',
    about: 'what nobody measured on this machine: the seconds that are said rest on it',
    run: assumptions,
  },
  {
    name: 'cpuset',
    usage: 'NODES [migrate|stay]',
    about: 'other nodes for the process; its pages stay unless told to migrate',
    run: cpuset,
  },
  {
    name: 'mprotect',
    usage: 'NAME none | read|write|exec...',
    about: 'other protection for a mapped segment (of later copies of memtoy)',
    run: mprotect,
  },
];

/** A mistake in one of these commands. */
const wrong = (words: Words, word: Word, what: string): MmError => mistake(`${words.placeOf(word)}: ${what}`);

function need(words: Words, what: string): Word {
  const word = words.take();
  if (word !== undefined) return word;
  throw mistake(`line ${words.line}, column ${words.columnAfter}: ${what} is missing\n${words.command.help}`);
}

function oneOf<Choice extends string>(words: Words, choices: readonly Choice[]): Choice {
  const word = need(words, choices.join(' or '));
  const found = choices.find((choice) => choice === word.text);
  if (found === undefined) throw wrong(words, word, `"${word.text}" is not ${choices.join(' or ')}`);
  return found;
}

function migrateOnFault(toy: Toy, words: Words): void {
  const at = words.peek();
  const isOn = oneOf(words, ['on', 'off']) === 'on';
  words.end();
  const { machine, hooks } = toy.world;
  if (isOn && hooks.length === 0 && at !== undefined) {
    throw wrong(words, at, 'this profile has no migrate-on-fault; --profile mof has it');
  }
  Object.assign(machine.options.switches, hookSwitches(hooks, isOn));
}

function trace(toy: Toy, words: Words): void {
  toy.world.isTracing = oneOf(words, ['on', 'off']) === 'on';
  words.end();
}

function swap(toy: Toy, words: Words): void {
  const word = need(words, 'a number of pages');
  const pages = Number(word.text);
  const { machine, calls } = toy.world;
  const most = machine.swap.capacity;
  if (!/^\d+$/.test(word.text) || pages > most) {
    throw wrong(words, word, `"${word.text}" is not a number of pages from 0 to ${String(most)}`);
  }
  words.end();
  const inUse = machine.swap.slots - machine.swap.free;
  if (pages === 0) checkCall('swapoff', calls.swap.swapoff());
  else if (pages < inUse) throw wrong(words, word, `${String(inUse)} pages are in swap; "swap 0" brings them back`);
  else checkCall('swapon', calls.swap.swapon(pages));
}

/** The nodes that a word names, read as everywhere in `mof`. */
function readNodes(toy: Toy, words: Words, word: Word): NodeId[] {
  const { topology } = toy.world.machine;
  try {
    return parseNodes(word.text, {
      nodeCount: topology.nodeCount,
      hasMemory: (id) => topology.hasMemory(id),
      allowed: toy.allowed(),
    });
  } catch (error) {
    throw error instanceof MmError ? wrong(words, word, error.message) : error;
  }
}

function node(toy: Toy, words: Words): void {
  const nodes = readNodes(toy, words, need(words, 'a node'));
  const isFull = oneOf(words, ['full', 'free']) === 'full';
  words.end();
  for (const id of nodes) toy.world.machine.zones.close(asNodeId(id), isFull);
}

function assumptions(toy: Toy, words: Words): void {
  words.end();
  const { assumed } = toy.world;
  for (const sentence of assumed) toy.say(sentence);
}

function invariants(toy: Toy, words: Words): void {
  words.end();
  try {
    checkMachine(toy.world.machine);
  } catch (error) {
    throw error instanceof ModelBug ? mistake(`an invariant does not hold: ${error.message}`) : error;
  }
  toy.say('invariants hold');
}

function cpuset(toy: Toy, words: Words): void {
  const word = need(words, 'a list of nodes');
  const nodes = readNodes(toy, words, word);
  const migrates = words.peek() !== undefined && oneOf(words, ['migrate', 'stay']) === 'migrate';
  words.end();
  const { cpusets } = toy.world.calls;
  const name = `memtoy-${toy.pid}`;
  const isNew = toy.task.cpuset.name !== name;
  const ret = isNew
    ? cpusets.create(name, { cpus: cpusets.cpusOf(toy.task), mems: nodes, memoryMigrate: migrates })
    : cpusets.setMemoryMigrate(name, migrates);
  const done = ret < 0 ? ret : isNew ? cpusets.attach(name, toy.task) : cpusets.setMems(name, nodes);
  if (done < 0) throw wrong(words, word, `no cpuset can have these nodes - ${saidOf(errnoName(-done))}`);
}

const BITS: Readonly<Record<string, number>> = { none: 0, read: VM_READ, write: VM_WRITE, exec: VM_EXEC };

function mprotect(toy: Toy, words: Words): void {
  const { segment, vpn } = toy.segments.mapped(need(words, 'a segment').text);
  let protection = 0;
  let word: Word | undefined = need(words, 'none, read, write or exec');
  for (; word !== undefined; word = words.take()) {
    const bits = BITS[word.text];
    if (bits === undefined) throw wrong(words, word, `"${word.text}" is not none, read, write or exec`);
    protection |= bits;
  }
  const pages = pagesOf(segment.length);
  checkCall('mprotect', toy.world.calls.areas.mprotect(toy.task, vpn, pages, protection), segment.name);
  segment.protection = protection;
}

import { mistake } from '../mistake.js';
import { type Child, type Signal, SIGNALS, Toy } from '../toy.js';
import type { Words } from '../words.js';
import type { Command, Waiting } from './command.js';

/** quit, exit, pid, pause, snooze, child, kick: the process itself, and its children. */
export const CONTROL_COMMANDS: Readonly<Record<string, Command>> = {
  quit: { name: 'quit', usage: '', about: 'end the program, and its children', run: quit },
  exit: { name: 'exit', usage: '', about: 'the same as quit', run: quit },
  pid: {
    name: 'pid',
    usage: '',
    about: 'the process id',
    run: (toy) => {
      toy.print(`${toy.program}:  pid = ${toy.pid}`);
    },
  },
  pause: { name: 'pause', usage: '', about: 'wait for a signal', runLong: pause },
  snooze: {
    name: 'snooze',
    usage: 'SECONDS',
    about: 'let seconds pass on the clock of the machine',
    run: snooze,
  },
  child: {
    name: 'child',
    usage: 'NAME',
    about: 'fork a child, with the same memory',
    run: child,
  },
  kick: {
    name: 'kick',
    usage: 'NAME [SIGNAL] | ?',
    about: 'send a signal to a child, INT unless named; QUIT ends it',
    run: kick,
  },
};

function quit(toy: Toy): void {
  toy.end();
}

function* pause(toy: Toy): Waiting {
  if (toy.signal === null) yield 'pause';
  toy.takeSignal();
}

function snooze(toy: Toy, words: Words): void {
  const text = words.need('seconds').text;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seconds)) throw mistake(`bad number of seconds:  ${text}`);
  toy.world.machine.meter.nowNs += seconds * 1e9;
}

function child(toy: Toy, words: Words): void {
  const name = words.need('child-name').text;
  if (name.includes('/')) throw mistake(`a child's name has no '/':  ${name}`);
  if (toy.children.has(name)) throw mistake(`child ${name} already exists`);
  const { world, task } = toy;
  const forked = new Toy(
    world,
    world.machine.process.fork(task, task.cpu),
    world.newPid(),
    'memtoy(child)',
    toy.segments.copy(),
  );
  forked.affinity = toy.affinity;
  toy.children.set(name, { toy: forked, errors: 0 });
  toy.say(`child ${name} - pid ${forked.pid}`);
}

/** @throws MmError if there is none of that name */
export function childNamed(toy: Toy, name: string): Child {
  const found = toy.children.get(name);
  if (found === undefined) throw mistake(`no such child:  ${name}`);
  return found;
}

/** The answer to `/`. */
export function listChildren(toy: Toy): void {
  toy.print('  _pid_ errs _name_');
  for (const [name, { toy: process, errors }] of toy.children) {
    toy.print(`${String(process.pid).padStart(7)} ${String(errors).padStart(4)} ${name}`);
  }
}

function kick(toy: Toy, words: Words): void {
  const name = words.need('child-name').text;
  if (name === '?') {
    toy.print(`  ${SIGNALS.join(' ')}`);
    return;
  }
  const { toy: kicked } = childNamed(toy, name);
  const wanted = (words.take()?.text ?? 'INT').toUpperCase().replace(/^SIG/, '');
  const signal: Signal | undefined = SIGNALS.find((known) => known === wanted);
  if (signal === undefined) throw mistake(`unknown signal:  ${wanted} (expected ${SIGNALS.join(', ')})`);
  if (signal !== 'QUIT') return; // an idle child handles the others, and nothing comes of it
  kicked.end();
  toy.children.delete(name);
}

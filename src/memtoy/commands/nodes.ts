import { EINVAL } from '../../errors.js';
import { asCpuId, asNodeId, type NodeId } from '../../units.js';
import { callFailed, checkCall } from '../mistake.js';
import type { Toy } from '../toy.js';
import { maskNumber, maskWords, readIds, readMask, type Words } from '../words.js';
import type { Command } from './command.js';

/** numa, migrate, cpus, mems: nodes, and where the process may be. */
export const NODE_COMMANDS: Readonly<Record<string, Command>> = {
  numa: { name: 'numa', usage: '', about: 'the nodes the process may use, and their memory', run: numa },
  migrate: {
    name: 'migrate',
    usage: 'TO-NODES [FROM-NODES]',
    about: 'move all memory of the process to other nodes, from all it may use unless named',
    run: migrate,
  },
  cpus: {
    name: 'cpus',
    usage: '[0xMASK,... | LIST]',
    about: 'set the CPUs the process may run on, or show them',
    run: cpus,
  },
  mems: {
    name: 'mems',
    usage: '[0xMASK | LIST]',
    about: 'bind all memory of the process to nodes, or show what it may use',
    more: '    As in libnuma this is the task policy bind.',
    run: mems,
  },
};

const PAGES_PER_MB = 256;

function numa(toy: Toy): void {
  const { zones } = toy.world.machine;
  const megabytes = (pages: number, width: number) => String(Math.floor(pages / PAGES_PER_MB)).padStart(width);
  toy.print('  Node  Total Mem[MB]  Free Mem[MB]');
  for (const node of toy.allowed()) {
    const [total, free] = [megabytes(zones.managed[node], 9), megabytes(zones.free(node), 8)];
    toy.print(`  ${String(node).padStart(3)}  ${total}      ${free}`);
  }
}

function migrate(toy: Toy, words: Words): void {
  const { calls, highestNode, maskWidth } = toy.world;
  const to = readIds(words.need('to-node-list').text, 'node', highestNode);
  const fromText = words.take()?.text;
  const from = fromText === undefined ? toy.allowed() : readIds(fromText, 'node', highestNode);
  let left = 0;
  const seconds = toy.seconds(() => {
    left = checkCall('migrate_pages', calls.pages.migratePages(toy.task, toy.task, from, to, maskWidth));
  });
  toy.say(`migration took ${seconds}secs.  ${left} pages could not be migrated`);
}

function cpus(toy: Toy, words: Words): void {
  const { machine, calls } = toy.world;
  const mayUse = calls.cpusets.cpusOf(toy.task);
  const text = words.take()?.text;
  if (text !== undefined) {
    const wanted = text.startsWith('0x') ? readMask(text) : readIds(text, 'cpu', machine.topology.cpuCount - 1);
    const usable = mayUse.filter((cpu) => wanted.includes(cpu));
    if (usable.length === 0) throw callFailed('sched_setaffinity', -EINVAL);
    toy.affinity = usable;
    if (!usable.includes(toy.task.cpu)) machine.process.moveTask(toy.task, asCpuId(usable[0]));
  }
  toy.say(
    `cpu affinity mask:${maskWords(toy.affinity ?? mayUse)
      .map((word) => `  ${word}`)
      .join('')}`,
  );
}

function mems(toy: Toy, words: Words): void {
  const { calls, highestNode, maskWidth } = toy.world;
  const text = words.take()?.text;
  if (text !== undefined) {
    const wanted = text.startsWith('0x') ? readMask(text) : readIds(text, 'node', highestNode);
    checkCall('set_mempolicy', calls.policy.setMempolicy(toy.task, MPOL_BIND, wanted, maskWidth));
  }
  toy.say(`mems allowed = ${maskNumber(boundNodes(toy))}`);
}

const MPOL_BIND = 2;

/** What libnuma answers: the nodes of a bind policy, else those the cpuset allows. */
function boundNodes(toy: Toy): readonly NodeId[] {
  const { calls, maskWidth } = toy.world;
  const { value, nodes } = calls.policy.getMempolicy(toy.task, 0n, maskWidth, 0, true, true);
  return value === MPOL_BIND && nodes !== null ? nodes.map(asNodeId) : toy.allowed();
}

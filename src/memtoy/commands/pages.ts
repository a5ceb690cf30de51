import { OOM, SIGBUS } from '../../fault/index.js';
import { callFailed, checkCall, mistake } from '../mistake.js';
import { hex, type Segment, segmentLine } from '../segments.js';
import type { Toy } from '../toy.js';
import { bytesOf, type PageRange, pagesOf, readRange, type Words } from '../words.js';
import type { Command, Waiting } from './command.js';

/** lock, unlock, slock, sunlock, touch, where: what is done with the pages of a mapped segment. */
export const PAGE_COMMANDS: Readonly<Record<string, Command>> = {
  lock: {
    name: 'lock',
    usage: 'NAME [OFFSET LENGTH]',
    about: 'mlock a mapped segment or a part of it: pages are faulted in, and stay',
    run: lock,
  },
  unlock: {
    name: 'unlock',
    usage: 'NAME [OFFSET LENGTH]',
    about: 'munlock a mapped segment, or a part of it',
    run: unlock,
  },
  slock: {
    name: 'slock',
    usage: 'NAME',
    about: 'SHM_LOCK shared memory: pages stay, but none is faulted in',
    run: (toy, words) => {
      lockShared(toy, words, true);
    },
  },
  sunlock: {
    name: 'sunlock',
    usage: 'NAME',
    about: 'SHM_UNLOCK shared memory',
    run: (toy, words) => {
      lockShared(toy, words, false);
    },
  },
  touch: {
    name: 'touch',
    usage: 'NAME [OFFSET LENGTH] [read|write]',
    about: 'access each page once, to read it unless said otherwise',
    more: '    A write leaves its address in the page.',
    runLong: touch,
  },
  where: {
    name: 'where',
    usage: 'NAME [OFFSET LENGTH]',
    about: 'the node of each page, of the first 64 unless said otherwise',
    more: '    Asks get_mempolicy(NODE|ADDR), which faults the pages in.',
    runLong: where,
  },
};

/** `NAME [OFFSET LENGTH]`: a mapped segment and the pages meant. */
export function readPages(toy: Toy, words: Words): { segment: Segment; vpn: number; range: PageRange | null } {
  const { segment, vpn } = toy.segments.mapped(words.need('segment-name').text);
  return { segment, vpn, range: readRange(words, segment.name, segment.length) };
}

const whole = ({ length }: Segment): PageRange => ({ first: 0, pages: pagesOf(length) });

function lock(toy: Toy, words: Words): void {
  const { segment, vpn, range } = readPages(toy, words);
  const { first, pages } = range ?? whole(segment);
  const seconds = toy.seconds(() => {
    checkCall('mlock', toy.world.calls.areas.mlock(toy.task, vpn + first, pages, true), segment.name);
  });
  toy.say(`mlock of ${segment.name} [${pages} pages] took ${seconds}secs.`);
}

function unlock(toy: Toy, words: Words): void {
  const { segment, vpn, range } = readPages(toy, words);
  const { first, pages } = range ?? whole(segment);
  checkCall('munlock', toy.world.calls.areas.mlock(toy.task, vpn + first, pages, false), segment.name);
}

function lockShared(toy: Toy, words: Words, locks: boolean): void {
  const segment = toy.segments.named(words.need('segment-name').text);
  if (segment.kind !== 's' || segment.object === null)
    throw mistake(`segment ${segment.name} is not SysV shared memory`);
  toy.world.calls.shm.lock(segment.object, locks);
}

/** Pages touched before signals are let in. */
const TURN = 4096;

function* touch(toy: Toy, words: Words): Waiting {
  const { segment, vpn, range } = readPages(toy, words);
  const { first, pages } = range ?? whole(segment);
  const isWrite = readAccess(words);
  if (isWrite && segment.isPreloaded)
    throw mistake(`segment ${segment.name} is part of the program:  it is not written`);
  const { machine } = toy.world;
  const startedNs = machine.meter.nowNs;
  for (let page = first; page < first + pages; page++) {
    const pfn = machine.touch(toy.task, vpn + page, isWrite);
    if (pfn <= 0) {
      if (-pfn === OOM) {
        killed(toy);
        return;
      }
      complainOfSignal(toy, segment, vpn + page, -pfn);
      break;
    }
    if (isWrite) machine.contents?.set(pfn, stampOf(vpn + page));
    if ((page - first) % TURN === TURN - 1) yield 'working';
    if (toy.signal !== null) break;
  }
  toy.takeSignal();
  toy.say(`touched ${pages} pages in ${toy.since(startedNs)} secs`);
}

function readAccess(words: Words): boolean {
  const word = words.take()?.text;
  if (word === undefined || 'read'.startsWith(word)) return false;
  if ('write'.startsWith(word)) return true;
  throw mistake(`expected 'read' or 'write', not '${word}'`);
}

/** What a write leaves in a page: its address, as far as 31 bits hold it. */
const stampOf = (vpn: number): number => vpn % 2 ** 31;

function complainOfSignal(toy: Toy, segment: Segment, vpn: number, signal: number): void {
  const isBus = signal === SIGBUS;
  const reason = isBus ? 'nothing of the file is there' : 'the segment may not be accessed so';
  toy.complain(
    `signal SIG${isBus ? 'BUS' : 'SEGV'} at 0x${hex(bytesOf(vpn), 16)} of segment ${segment.name} - ${reason}`,
  );
}

function killed(toy: Toy): void {
  toy.isKilled = true;
  toy.complain('killed:  out of memory');
}

const WHERE_PAGES = 64;
const PER_ROW = 8;
const MPOL_F_NODE_ADDR = 3;

function* where(toy: Toy, words: Words): Waiting {
  const { segment, vpn, range } = readPages(toy, words);
  const { first, pages } = range ?? { first: 0, pages: Math.min(WHERE_PAGES, pagesOf(segment.length)) };
  const end = first + pages;
  toy.print(segmentLine(segment));
  toy.print('page offset    +00 +01 +02 +03 +04 +05 +06 +07');
  for (let row = first - (first % PER_ROW); row < end; row += PER_ROW) {
    let line = `${hex(row, 1).padStart(12)}: `;
    for (let page = row; page < Math.min(end, row + PER_ROW); page++) {
      line += page < first ? '    ' : ` ${String(nodeOf(toy, segment, vpn + page)).padStart(3)}`;
    }
    toy.print(line);
    if (row % TURN === 0) yield 'working';
    if (toy.takeSignal() !== null) return;
  }
}

function nodeOf(toy: Toy, { name }: Segment, vpn: number): number {
  const { calls, maskWidth } = toy.world;
  const answer = calls.policy.getMempolicy(toy.task, BigInt(vpn) * 4096n, maskWidth, MPOL_F_NODE_ADDR, false, true);
  if (answer.ret < 0 || answer.value === null) throw callFailed('get_mempolicy', answer.ret, name);
  return answer.value;
}

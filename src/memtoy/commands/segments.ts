import { type FileObject, VM_READ, VM_SHARED, VM_WRITE } from '../../mm/index.js';
import { ENOMEM, EINVAL } from '../../errors.js';
import { callFailed, checkCall, mistake, saidOf } from '../mistake.js';
import { findPlace } from '../places.js';
import { SEGMENT_HEADER, segmentLine, type Segment } from '../segments.js';
import type { Toy } from '../toy.js';
import { bytesOf, pagesOf, parseSize, readRange, type Words } from '../words.js';
import type { Command } from './command.js';

/** show, anon, file, shmem, remove, map, unmap: what memory there is, and whether it is mapped. */
export const SEGMENT_COMMANDS: Readonly<Record<string, Command>> = {
  show: {
    name: 'show',
    usage: '[NAME | +]',
    about: 'one segment, or all of them; + also those of the program itself',
    run: show,
  },
  anon: {
    name: 'anon',
    usage: 'NAME SIZE [private|shared]',
    about: 'define anonymous memory, private unless said otherwise',
    run: defineAnon,
  },
  file: {
    name: 'file',
    usage: 'PATH [OFFSET LENGTH] [private|shared]',
    about: 'define a regular file or a part of it, by its name without folders',
    more: '    Only the size of the file is used: it is neither read nor written.',
    run: defineFile,
  },
  shmem: {
    name: 'shmem',
    usage: 'NAME SIZE [huge]',
    about: 'make SysV shared memory; there are no huge pages in the model',
    run: defineShmem,
  },
  remove: { name: 'remove', usage: 'NAME...', about: 'unmap segments and forget them', run: remove },
  map: {
    name: 'map',
    usage: 'NAME [OFFSET LENGTH] [private|shared]',
    about: 'map a segment at the highest free place; the range is for files',
    run: map,
  },
  unmap: { name: 'unmap', usage: 'NAME', about: 'unmap a segment; it stays defined', run: unmap },
};

function show(toy: Toy, words: Words): void {
  const name = words.take()?.text;
  if (name !== undefined && name !== '+') {
    toy.print(segmentLine(toy.segments.named(name)));
    return;
  }
  const lines = toy.segments.all(name === '+').map(segmentLine);
  toy.print(['', SEGMENT_HEADER, ...lines].join('\n'));
}

type Share = 'private' | 'shared';

/** `private` or `shared`, if that is what comes next. */
function readShare(words: Words): Share | null {
  const word = words.take()?.text;
  if (word === undefined) return null;
  if (word !== 'private' && word !== 'shared') throw mistake(`expected 'private' or 'shared', not '${word}'`);
  return word;
}

function defineAnon(toy: Toy, words: Words): void {
  const name = words.need('segment-name').text;
  const length = bytesOf(pagesOf(parseSize(words.need('size').text)));
  const share = readShare(words) ?? 'private';
  toy.segments.add({
    ...{ name, kind: 'a', shown: name, length, offset: 0, protection: VM_READ | VM_WRITE, share },
    ...{ object: null, vpn: null, isPreloaded: false },
  });
}

function defineFile(toy: Toy, words: Words): void {
  const path = words.need('path-name').text;
  const name = path.split('/').at(-1) ?? path;
  toy.segments.checkNew(name);
  const found = toy.world.host.findFile(path);
  if (typeof found === 'string') throw mistake(`can't open file ${path} - ${saidOf(found)}`);
  const range = readFilePart(words, found.bytes);
  const share = readShare(words) ?? 'default';
  const protection = (found.mayRead ? VM_READ : 0) | (found.mayWrite ? VM_WRITE : 0);
  const object = toy.world.fileObject(found, path);
  toy.segments.add({
    ...{ name, kind: 'f', shown: path, ...range, protection, share, object, vpn: null, isPreloaded: false },
  });
}

/** A part of a file, in whole pages; it may reach beyond the end, where touching is a SIGBUS. */
function readFilePart(words: Words, fileBytes: number): { offset: number; length: number } {
  if (!/^\d/.test(words.peek()?.text ?? '')) return { offset: 0, length: bytesOf(pagesOf(fileBytes)) };
  const offset = bytesOf(Math.floor(parseSize(words.need('offset').text) / 4096));
  const lengthWord = words.need('length').text;
  const length = lengthWord === '*' ? 0 : parseSize(lengthWord);
  return { offset, length: bytesOf(pagesOf(length === 0 ? Math.max(0, fileBytes - offset) : length)) };
}

function defineShmem(toy: Toy, words: Words): void {
  const name = words.need('segment-name').text;
  const pages = pagesOf(parseSize(words.need('size').text));
  toy.segments.checkNew(name);
  const option = words.take()?.text;
  if (option !== undefined && option !== 'huge') throw mistake(`expected 'huge', not '${option}'`);
  if (option === 'huge') throw callFailed('shmget', -ENOMEM, name); // none are reserved
  if (pages === 0) throw callFailed('shmget', -EINVAL, name);
  const object = toy.world.machine.files.create('shmem', name, pages);
  toy.made.add(object);
  toy.segments.add({
    ...{ name, kind: 's', shown: name, length: bytesOf(pages), offset: 0, protection: VM_READ | VM_WRITE },
    ...{ share: 'shared', object, vpn: null, isPreloaded: false },
  });
}

function remove(toy: Toy, words: Words): void {
  let word = words.need('segment-name').text as string | undefined;
  for (; word !== undefined; word = words.take()?.text) {
    const segment = ownSegment(toy, word);
    const { object } = segment;
    unmapSegment(toy, segment);
    toy.segments.remove(segment);
    if (segment.kind !== 's' || object === null) continue;
    toy.made.delete(object);
    toy.world.doom(object);
    toy.world.release(toy.task, object);
  }
}

function ownSegment(toy: Toy, name: string): Segment {
  const segment = toy.segments.named(name);
  if (segment.isPreloaded) throw mistake(`segment ${name} is part of the program:  it cannot be unmapped or removed`);
  return segment;
}

function map(toy: Toy, words: Words): void {
  const segment = toy.segments.named(words.need('segment-name').text);
  if (segment.vpn !== null) return;
  if (/^\d/.test(words.peek()?.text ?? '')) {
    if (segment.kind !== 'f') throw mistake(`segment ${segment.name} is no file:  it is mapped whole`);
    Object.assign(segment, partOfSegment(words, segment));
  }
  const share = readShare(words);
  if (share !== null && segment.kind === 's' && share === 'private') throw mistake('shared memory is mapped shared');
  if (share !== null) segment.share = share;
  if (segment.share === 'default') segment.share = 'private';
  mapSegment(toy, segment);
}

function partOfSegment(words: Words, { name, length, offset }: Segment): { offset: number; length: number } | null {
  const range = readRange(words, name, length);
  return range === null ? null : { offset: offset + bytesOf(range.first), length: bytesOf(range.pages) };
}

function mapSegment(toy: Toy, segment: Segment): void {
  const { machine, calls } = toy.world;
  const call = segment.kind === 's' ? 'shmat' : 'mmap';
  const pages = pagesOf(segment.length);
  if (pages === 0) throw callFailed(call, -EINVAL, segment.name);
  const vpn = findPlace(toy.task.space, pages);
  if (vpn === null) throw callFailed(call, -ENOMEM, segment.name);
  const isShared = segment.share === 'shared';
  if (segment.kind === 'a' && isShared) {
    segment.object = machine.files.create('shmem', segment.name, pages);
    toy.world.doom(segment.object);
  }
  const flags = segment.protection | (isShared ? VM_SHARED : 0);
  const request = { vpn, pages, flags, file: segment.object, filePage: pagesOf(segment.offset), populate: false };
  checkCall(call, calls.areas.mmap(toy.task, { ...request, name: segment.name }), segment.name);
  segment.vpn = vpn;
}

function unmap(toy: Toy, words: Words): void {
  unmapSegment(toy, ownSegment(toy, words.need('segment-name').text));
}

function unmapSegment(toy: Toy, segment: Segment): void {
  if (segment.vpn === null) return;
  const call = segment.kind === 's' ? 'shmdt' : 'munmap';
  checkCall(call, toy.world.calls.areas.munmap(toy.task, segment.vpn, pagesOf(segment.length)), segment.name);
  segment.vpn = null;
  const object: FileObject | null = segment.object;
  if (object !== null) toy.world.release(toy.task, object);
  if (segment.kind === 'a') segment.object = null;
}

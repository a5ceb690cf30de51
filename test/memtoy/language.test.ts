import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { memtoy, memtoyScript } from '../support/memtoy.js';
import { tinyDescription } from '../support/tiny-machine.js';

const machine = tinyDescription({ framesPerNode: 2 ** 13, cpusPerNode: 2 });
const start = () =>
  memtoy({ machine, files: { 'dir/zeros': { bytes: 2 ** 15 }, 'read-only': { bytes: 4096, mayWrite: false } } });

/** Words, and the command they mean; null: ambiguous; undefined: unknown. By the order of the table in memtoy.md, section 2. */
const ABBREVIATIONS: readonly (readonly [string, string | null | undefined])[] = [
  ...([
    ['m', null],
    ['ma', null],
    ['mb', 'mbind'],
    ['mi', 'migrate'],
    ['me', 'mems'],
    ['mp', 'mpol'],
  ] as const),
  ...([
    ['s', null],
    ['sh', null],
    ['shm', 'shmem'],
    ['sho', 'show'],
    ['sl', 'slock'],
    ['su', 'sunlock'],
  ] as const),
  ...([
    ['sn', 'snooze'],
    ['h', 'help'],
    ['q', 'quit'],
    ['e', 'exit'],
    ['p', null],
    ['pi', 'pid'],
    ['pa', 'pause'],
  ] as const),
  ...([
    ['n', 'numa'],
    ['a', 'anon'],
    ['f', 'file'],
    ['r', 'remove'],
    ['u', null],
    ['unm', 'unmap'],
    ['unl', 'unlock'],
  ] as const),
  ...([
    ['l', 'lock'],
    ['t', 'touch'],
    ['w', 'where'],
    ['c', null],
    ['cp', 'cpus'],
    ['ch', 'child'],
    ['k', 'kick'],
  ] as const),
  ...([
    ['map', 'map'],
    ['man', 'man'],
    ['migrate_on_fault', 'migrate_on_fault'],
    ['migrate_on', undefined],
  ] as const),
  ...([
    ['swap', 'swap'],
    ['swa', undefined],
    ['mpolx', undefined],
    ['x', undefined],
  ] as const),
];

describe('a command', () => {
  it.each(ABBREVIATIONS)('%s means %s', async (word, name) => {
    expect(ABBREVIATIONS).toHaveLength(41);
    const { commandNamed } = await import('../../src/memtoy/command-table.js');
    if (typeof name === 'string') expect(commandNamed(word).name).toBe(name);
    else
      expect(() => commandNamed(word)).toThrow(name === null ? `ambiguous command:  ${word}` : 'unrecognized command');
  });
});

/** Sizes as they are written, and bytes. */
const SIZES: readonly (readonly [string, number])[] = [
  ...([
    ['8', 8],
    ['010', 8],
    ['0x10', 16],
    ['2k', 2048],
    ['2K', 2048],
    ['3m', 3 << 20],
    ['1g', 2 ** 30],
    ['8p', 32768],
  ] as const),
  ...([
    ['0x8p', 32768],
    ['1G', 2 ** 30],
    ['2kb', 2048],
    ['1g!', 2 ** 30],
    ['', 0],
    ['k', 0],
    ['0', 0],
  ] as const),
];

describe('a size', () => {
  it.each(SIZES)('%s is %i bytes', async (text, bytes) => {
    const { parseSize } = await import('../../src/memtoy/words.js');
    expect(SIZES).toHaveLength(15);
    expect(parseSize(text)).toBe(bytes);
  });
});

/** What is done first, the line with the mistake, and what memtoy says of it. */
const MISTAKES: readonly (readonly [readonly string[], string, string])[] = [
  [[], 'frobnicate', 'memtoy:  unrecognized command frobnicate\n'],
  [[], 'm', 'memtoy:  ambiguous command:  m\n'],
  [[], 'touch foo', 'memtoy:  no such segment:  foo\n'],
  [['anon foo 8p'], 'touch foo', 'memtoy:  segment foo not mapped\n'],
  [['anon foo 8p'], 'where foo', 'memtoy:  segment foo not mapped\n'],
  [['anon foo 8p'], 'mbind foo bind 1', 'memtoy:  segment foo not mapped\n'],
  [['anon foo 8p', 'map foo'], 'touch foo 8p 1p', 'memtoy:  offset 32768 is past end of segment foo\n'],
  [['anon foo 8p', 'map foo'], 'where foo 64k 1p', 'memtoy:  offset 65536 is past end of segment foo\n'],
  [['anon foo 8p', 'map foo'], 'mbind foo bind 4', 'memtoy:  node 4 is not there:  the highest node is 3\n'],
  [
    ['anon foo 8p', 'map foo'],
    'mbind foo bind 1-2',
    'memtoy:  bad node list:  1-2 (expected numbers with commas between them)\n',
  ],
  [['anon foo 8p', 'map foo'], 'mbind foo bind *', "memtoy:  '*' is for preferred and interleaved\n"],
  [
    ['anon foo 8p', 'map foo'],
    'mbind foo interleaved *',
    'memtoy:  mbind() of segment foo failed - Invalid argument\n',
  ],
  [
    ['anon foo 8p', 'map foo'],
    'mbind foo bind+lazy 1',
    "memtoy:  expected 'shared' or 'move' after the policy, not 'lazy'\n",
  ],
  [
    ['anon foo 8p', 'map foo'],
    'mbind foo bind+move+shared 1',
    "memtoy:  expected 'all' or 'lazy' after 'move', not 'shared'\n",
  ],
  [
    ['anon foo 8p', 'map foo'],
    'mbind foo bind+shared 1',
    'memtoy:  mbind() of segment foo failed - Invalid argument\n',
  ],
  [[], 'migrate 9', 'memtoy:  node 9 is not there:  the highest node is 3\n'],
  [['anon foo 8p'], 'anon foo 1p', 'memtoy:  segment foo already exists\n'],
  [['anon foo 0'], 'map foo', 'memtoy:  mmap() of segment foo failed - Invalid argument\n'],
  [[], 'anon foo 256t', 'memtoy:  bad size:  256t (expected a number and k, m, g or p)\n'],
  [['anon foo 262144g'], 'map foo', 'memtoy:  mmap() of segment foo failed - Cannot allocate memory\n'],
  [[], 'anon foo 1p publik', "memtoy:  expected 'private' or 'shared', not 'publik'\n"],
  [[], 'shmem foo 1m huge', 'memtoy:  shmget() of segment foo failed - Cannot allocate memory\n'],
  [[], 'file nowhere', "memtoy:  can't open file nowhere - No such file or directory\n"],
  [['anon foo 1p'], 'slock foo', 'memtoy:  segment foo is not SysV shared memory\n'],
  [[], 'unmap stack', 'memtoy:  segment stack is part of the program:  it cannot be unmapped or removed\n'],
  [[], 'touch heap write', 'memtoy:  segment heap is part of the program:  it is not written\n'],
  [[], 'cpus 9', 'memtoy:  cpu 9 is not there:  the highest cpu is 7\n'],
  [[], 'cpus 0x', 'memtoy:  bad mask:  0x (expected 0x and hexadecimal digits)\n'],
  [[], 'mems 0x30', 'memtoy:  set_mempolicy() failed - Invalid argument\n'],
  [[], 'kick nobody', 'memtoy:  no such child:  nobody\n'],
  [['child kid'], 'kick kid KILL', 'memtoy:  unknown signal:  KILL (expected INT, QUIT, SEGV, BUS, USR1, USR2)\n'],
  [[], '/kid pid', 'memtoy:  no such child:  kid\n'],
  [['child kid'], 'child kid', 'memtoy:  child kid already exists\n'],
  [[], 'snooze soon', 'memtoy:  bad number of seconds:  soon\n'],
  // Ours name line and column.
  [[], '  swap lots', 'memtoy:  line 7, column 6: "lots" is not a number of pages from 0 to 32768\n'],
  [
    [],
    'node 9 full',
    'memtoy:  line 7, column 6: node 9 is not on this machine: it has nodes 0-3 (position 1 of "9")\n',
  ],
  [[], 'node 1 empty', 'memtoy:  line 7, column 8: "empty" is not full or free\n'],
  [[], 'trace maybe', 'memtoy:  line 7, column 7: "maybe" is not on or off\n'],
  [[], 'trace on now', 'memtoy:  line 7, column 10: "now" is one word too many\n'],
  [
    [],
    'cpuset 0-9',
    'memtoy:  line 7, column 8: node 9 is not on this machine: it has nodes 0-3 (position 1 of "0-9")\n',
  ],
];

describe('a mistake', () => {
  it.each(MISTAKES)('after %j, %s is answered: %s', async (before, line, answer) => {
    expect(MISTAKES).toHaveLength(40);
    const toy = await start();
    const lines = [...before, ...Array.from({ length: 6 - before.length }, () => '#'), line];
    lines.forEach((text, i) => {
      const running = toy.session.execute(text, i + 1);
      let turn = running.next();
      while (turn.done !== true) turn = running.next();
      expect(turn.value).toBe(i === 6 ? 'mistake' : 'done');
    });
    expect(toy.err).toBe(answer);
    checkMachine(toy.machine);
  });

  it('in what is missing names it, and shows the help', async () => {
    const toy = await start();
    expect(toy.do('touch')).toBe(
      "memtoy:  command 'touch' missing required argument: segment-name\ntouch NAME [OFFSET LENGTH] [read|write]\n" +
        '    access each page once, to read it unless said otherwise\n    A write leaves its address in the page.\n',
    );
    expect(toy.do('anon foo')).toContain("command 'anon' missing required argument: size\nanon NAME SIZE");
    expect(toy.do('anon foo 8p', 'map foo', 'mbind foo bind')).toContain('missing required argument: node-list');
    expect(toy.do('where foo 1p')).toContain('missing required argument: length');
    expect(toy.do('swap')).toContain('line 1, column 5: a number of pages is missing\nswap PAGES');
  });

  it('ends a script with 4, there and then', async () => {
    const { status, all } = await memtoyScript('pid\nfrobnicate\npid\n', { machine });
    expect(all).toBe('memtoy pid:  100\nmemtoy:  pid = 100\nmemtoy:  unrecognized command frobnicate\n');
    expect(status).toBe(4);
  });

  it('in the name of a policy is complained of, and then taken for preferred, as memtoy does', async () => {
    const { status, all } = await memtoyScript('anon a 8p\nmap a\nmbind a bnid 2\ntouch a w\nwhere a', { machine });
    expect(all).toContain('memtoy:  unknown policy:  bnid (taken for preferred)\n');
    expect(all).toContain('           0:    2   2   2   2   2   2   2   2\n');
    expect(status).toBe(0);
  });
});

describe('a script', () => {
  it('may be empty', async () => {
    for (const text of ['', '\n', '# nothing\n\t \n']) {
      const { status, all } = await memtoyScript(text, { machine });
      expect({ status, all }).toEqual({ status: 0, all: 'memtoy pid:  100\nmemtoy EOF on stdin\n' });
    }
  });

  it('may come from a system with other line ends', async () => {
    const { all, status } = await memtoyScript('anon a 8p\r\n\tmap a \r\ntouch a\r\n', { machine });
    expect(status).toBe(0);
    expect(all).toMatch(/touched 8 pages in {2}0\.000 secs\nmemtoy EOF on stdin\n$/);
  });

  it('ends with quit, its children and its shared memory with it', async () => {
    const toy = await memtoy({ machine });
    const free = () => [0, 1, 2, 3].map((node) => toy.machine.zones.free(node as never));
    const before = free();
    toy.do(
      'shmem s 1m',
      'map s',
      'touch s w',
      'child kid',
      '/kid touch s w',
      '/kid anon own 1m',
      '/kid map own',
      '/kid touch own w',
    );
    expect(free()).not.toEqual(before);
    toy.do('quit');
    expect(toy.machine.process.tasks()).toEqual([]);
    toy.machine.lru.drainAll();
    expect(free()).toEqual(before);
    checkMachine(toy.machine);
  });

  it('has lines of 254 characters at most, comments aside', async () => {
    const line = `remove ${'x'.repeat(300)}`;
    expect((await memtoyScript(`# ${line}\n${line}`, { machine })).err).toBe(
      'memtoy:  line 2 is longer than 254 characters\n',
    );
    expect((await memtoyScript(`pid${' '.repeat(251)}`, { machine })).status).toBe(0);
  });

  it('may be long: a hundred thousand lines', async () => {
    const { all, status } = await memtoyScript('pid\n'.repeat(100_000), { machine });
    expect(status).toBe(0);
    expect(all.length).toBe('memtoy pid:  100\n'.length + 100_000 * 'memtoy:  pid = 100\n'.length + 20);
  });

  it('repeats what stands behind #loop, and leaves quit out', async () => {
    const script = 'pid\nquit\n#loop\nnuma\nexit\n';
    const { all, status } = await memtoyScript(script, { machine, loops: 3 });
    expect(status).toBe(0);
    expect(all.match(/pid =/g)).toHaveLength(1);
    expect(all.match(/Node/g)).toHaveLength(3);
    expect((await memtoyScript(script, { machine })).all).toBe('memtoy pid:  100\nmemtoy:  pid = 100\n');
  });

  it('is echoed when it is verbose', async () => {
    const { all } = await memtoyScript(' pid\n#\nquit', { machine, isVerbose: true });
    expect(all).toBe('memtoy pid:  100\nmemtoy>pid\nmemtoy:  pid = 100\nmemtoy>quit\n');
  });
});

import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/engine/index.js';
import { PG_UNEVICTABLE } from '../../src/mm/index.js';
import { asNodeId } from '../../src/units.js';
import { memtoy } from '../support/memtoy.js';
import { frameAt, tinyDescription } from '../support/tiny-machine.js';

const machine = tinyDescription({ framesPerNode: 2 ** 13 });
const files = {
  'dir/zeros': { bytes: 32768 },
  'read-only': { bytes: 4096, mayWrite: false },
  short: { bytes: 5000 },
};
const start = (profile = 'mof') => memtoy({ machine, files, profile });

describe('segments', () => {
  it('are listed as memtoy lists them, mapped or not', async () => {
    const toy = await start();
    const header = '\n  _____address______ ____length____ ____offset____ prot  share  name\n';
    expect(toy.do('show')).toBe(header);
    toy.do('anon a 1', 'anon b 8p shared', 'file dir/zeros', 'file read-only shared', 'shmem s 1m', 'map b');
    expect(toy.do('show')).toBe(
      `${header}a *** not-mapped *** 0x000000001000 0x000000000000  rw  private a\n` +
        'a 0x00007ffff7ff1000 0x000000008000 0x000000000000  rw- shared  b\n' +
        'f *** not-mapped *** 0x000000008000 0x000000000000  rw  default dir/zeros\n' +
        'f *** not-mapped *** 0x000000001000 0x000000000000  r-  shared  read-only\n' +
        's *** not-mapped *** 0x000000100000 0x000000000000  rw  shared  s\n',
    );
    expect(toy.do('map zeros 2p 1p', 'show zeros')).toBe(
      'f 0x00007ffff7ff0000 0x000000001000 0x000000002000  rw- private dir/zeros\n',
    );
    expect(toy.do('show +').split('\n')).toHaveLength(12);
    expect(toy.do('show +')).toContain(' r-x private memtoy:text\n');
  });

  it('lie below each other, and gaps are used again', async () => {
    const toy = await start();
    const at = (name: string) => /0x0000(\w+)/.exec(toy.do(`show ${name}`))?.[1];
    toy.do('anon a 8p', 'anon b 2p', 'anon c 4p', 'anon d 3p', 'map a', 'map b', 'map c');
    expect(['a', 'b', 'c'].map(at)).toEqual(['7ffff7ff1000', '7ffff7fef000', '7ffff7feb000']);
    toy.do('unmap a', 'map d');
    expect(at('d')).toBe('7ffff7ff6000');
    toy.do('map a');
    expect(at('a')).toBe('7ffff7fe3000');
    expect(toy.do('map a')).toBe('');
  });

  it('keep their slots: 63, used again', async () => {
    const toy = await start();
    for (let i = 0; i < 63; i++) toy.do(`anon a${String(i)} 1p`);
    expect(toy.do('anon more 1p')).toBe('memtoy:  too many segments:  63 are the limit\n');
    toy.do('remove a3 a5', 'anon more 1p');
    expect(toy.do('show').split('\n')[5]).toContain('more');
  });

  it('are forgotten by remove, and their pages are free again', async () => {
    const toy = await start();
    const free = () => toy.machine.zones.free(asNodeId(0));
    const before = free();
    toy.do(
      'shmem s 1m',
      'anon a 1m',
      'anon b 1m shared',
      'map s',
      'map a',
      'map b',
      'touch s w',
      'touch a w',
      'touch b w',
    );
    expect(before - free()).toBeGreaterThanOrEqual(3 * 256);
    toy.do('remove s a b');
    toy.machine.lru.drainAll();
    expect(free()).toBe(before);
    expect(toy.do('show s')).toBe('memtoy:  no such segment:  s\n');
    checkMachine(toy.machine);
  });
});

describe('touch', () => {
  it('behind the end of a file is a SIGBUS: it ends there, counts as asked, and is no mistake', async () => {
    const toy = await start();
    toy.do('file short 0 4p shared', 'map short');
    expect(toy.do('touch short w', 'pid')).toMatch(
      /^memtoy: {2}signal SIGBUS at 0x00007ffff7ff7000 of segment short - .*\nmemtoy: {2}touched 4 pages in {2}0\.\d{3} secs\nmemtoy: {2}pid = 100\n$/,
    );
  });

  it('of what may not be written is a SIGSEGV', async () => {
    const toy = await start();
    toy.do('file read-only', 'map read-only');
    expect(toy.do('touch read-only r')).not.toContain('signal');
    expect(toy.do('touch read-only w')).toContain('signal SIGSEGV at 0x00007ffff7ff8000 of segment read-only');
    toy.do('anon a 2p', 'map a', 'mprotect a none');
    expect(toy.do('show a')).toContain(' --- private a');
    expect(toy.do('touch a')).toContain('signal SIGSEGV');
    expect(toy.do('mprotect a read write', 'touch a w')).not.toContain('signal');
  });

  it('stops at a signal, and still says how many pages were asked for', async () => {
    const toy = await start();
    toy.do('anon a 40m', 'map a');
    const running = toy.session.execute('touch a w', 1);
    expect(running.next()).toEqual({ done: false, value: 'working' });
    toy.session.signal('INT');
    expect(running.next()).toEqual({ done: true, value: 'done' });
    expect(toy.out).toContain('touched 10240 pages');
    expect(toy.machine.counters.get('pgfault')).toBe(4096);
    expect(toy.do('touch a')).toContain('touched 10240 pages');
  });

  it('with no memory left is the end of the program', async () => {
    const toy = await memtoy({ machine: tinyDescription({ framesPerNode: 64 }) });
    toy.do('swap 0', 'anon a 1m', 'map a', 'touch a w');
    expect(toy.err).toBe('memtoy:  killed:  out of memory\n');
    expect(toy.machine.process.tasks()).toEqual([]);
    checkMachine(toy.machine);
  });
});

describe('policies, CPUs and nodes', () => {
  it('are set and shown', async () => {
    const toy = await start();
    expect(toy.do('mpol')).toBe('memtoy:  task policy = default 0x0\n');
    expect(toy.do('mpol int 1,3', 'mpol')).toBe('memtoy:  task policy = interleaved 0xa\n');
    expect(toy.do('mpol pref 2', 'mpol')).toBe('memtoy:  task policy = preferred 0x4\n');
    expect(toy.do('mpol pref *', 'mpol')).toBe('memtoy:  task policy = local 0x0\n');
    expect(toy.do('mems 0x6')).toBe('memtoy:  mems allowed = 0x6\n');
    expect(toy.do('mpol')).toBe('memtoy:  task policy = bind 0x6\n');
    expect(toy.do('mpol default', 'mems')).toBe('memtoy:  mems allowed = 0xf\n');
    expect(toy.do('cpus 1,2')).toBe('memtoy:  cpu affinity mask:  0x00000006\n');
    expect(toy.machine.process.tasks()[0].node).toBe(1);
    expect(toy.do('cpus 0x8')).toBe('memtoy:  cpu affinity mask:  0x00000008\n');
    expect(toy.do('mpol bind+move 1')).toBe('memtoy:  the policy of a task takes no flags, but +move is there\n');
  });

  it('know what of memtoy each kernel has (DM-42)', async () => {
    const [mof, mainline] = [await start(), await start('linux-6.1')];
    for (const toy of [mof, mainline]) toy.do('anon a 8p', 'map a', 'mbind a pref 1', 'touch a w');
    expect(mof.do('mbind a bind+move+lazy 2')).toContain('unmap of a [8 pages] took');
    expect(mainline.do('mbind a bind+move+lazy 2')).toBe('memtoy:  mbind() of segment a failed - Invalid argument\n');
    expect(mainline.do('migrate_on_fault on')).toContain('line 1, column 18: this profile has no migrate-on-fault');
    expect(mof.do('mpol noop')).toBe('memtoy:  set_mempolicy() failed - Invalid argument\n');
    expect(mainline.do('mpol noop', 'mpol')).toBe('memtoy:  task policy = local 0x0\n'); // 4 is MPOL_LOCAL there
  });

  it('+all moves pages that a child maps too; without it they stay', async () => {
    const toy = await start();
    toy.do('anon a 8p', 'map a', 'mbind a pref 1', 'touch a w', 'child kid');
    toy.do('mbind a bind+move 2');
    expect(toy.where('a')).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    toy.do('mbind a bind+move+all 2');
    expect(toy.where('a')).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    expect(toy.do('/kid where a 0 1p')).toMatch(/0: {4}2\n$/);
    toy.do('mbind a pref+move+all+lazy 3', 'touch a');
    expect(toy.where('a')).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
    checkMachine(toy.machine);
  });
});

describe('locks', () => {
  it('fault private memory in, and leave shared memory as it is', async () => {
    const toy = await start();
    toy.do('anon a 8p', 'map a', 'shmem s 8p', 'map s');
    expect(toy.do('lock a 0 4p')).toMatch(/^memtoy: {2}mlock of a \[4 pages\] took {2}0\.\d{3}secs\.\n$/);
    expect(toy.machine.counters.get('pgfault')).toBe(4);
    expect(toy.do('unlock a', 'slock s')).toBe('');
    expect(toy.machine.counters.get('pgfault')).toBe(4);
    toy.do('touch s w');
    const [task] = toy.machine.process.tasks();
    const isHeld = () => toy.machine.frames.has(frameAt(toy.machine, task, 0x7ffff7ff9 - 16), PG_UNEVICTABLE);
    expect(isHeld()).toBe(true);
    toy.do('sunlock s');
    expect(isHeld()).toBe(false);
    checkMachine(toy.machine);
  });
});

describe('children', () => {
  it('have the same memory until somebody writes, and process ids in order', async () => {
    const toy = await start();
    toy.do('anon a 8p', 'map a', 'touch a w');
    expect(toy.do('child kid', '/kid child kid')).toBe(
      'memtoy:  child kid - pid 101\nmemtoy(child):  child kid - pid 102\n',
    );
    toy.do('/kid cpus 3', '/kid touch a 0 4p w');
    expect(toy.do('/kid where a')).toContain('   3   3   3   3   0   0   0   0\n');
    expect(toy.where('a')).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(toy.do('/kid/kid pid')).toBe('memtoy(child):  pid = 102\n');
    checkMachine(toy.machine);
  });

  it('are listed with their mistakes, which end nothing', async () => {
    const toy = await start();
    toy.do('child one', 'child two');
    expect(toy.do('/two touch x', '/two m', '/')).toBe(
      'memtoy(child):  no such segment:  x\nmemtoy(child):  ambiguous command:  m\n' +
        '  _pid_ errs _name_\n    101    0 one\n    102    2 two\n',
    );
    expect(toy.do('/?')).toBe(toy.do('/'));
  });

  it('end by themselves, and by SIGQUIT; other signals they handle', async () => {
    const toy = await start();
    toy.do('child one', 'child two', 'child three', 'kick one', '/two quit', 'kick three quit');
    expect(toy.do('/')).toBe('  _pid_ errs _name_\n    101    0 one\n');
    expect(toy.do('/ ?')).toBe(toy.do('/?'));
    expect(toy.do('kick ?')).toBe('  INT QUIT SEGV BUS USR1 USR2\n');
    expect(toy.machine.process.tasks()).toHaveLength(2);
  });

  it('share shared memory, which goes with the last of those who have it', async () => {
    const toy = await start();
    const free = () => toy.machine.zones.free(asNodeId(0));
    const before = free();
    toy.do('shmem s 1m', 'map s', 'touch s w', 'child kid', 'remove s');
    expect(before - free()).toBeGreaterThanOrEqual(256);
    expect(toy.do('/kid touch s w')).toContain('touched 256 pages');
    toy.do('/kid unmap s');
    toy.machine.lru.drainAll();
    expect(free()).toBe(before);
    checkMachine(toy.machine);
  });
});

describe('what memtoy does not have', () => {
  it('migrate_on_fault off leaves a misplaced page where it is', async () => {
    const toy = await start();
    const lazily = ['mbind a bind+move+lazy 2', 'touch a'];
    toy.do('anon a 8p', 'map a', 'mbind a pref 1', 'touch a w', 'migrate_on_fault off', ...lazily);
    expect(toy.where('a')).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    toy.do('migrate_on_fault on', 'mbind a default', ...lazily);
    expect(toy.where('a')).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('trace on prints the steps of faults', async () => {
    const toy = await start();
    toy.do('anon a 1p', 'map a', 'mbind a pref 1', 'touch a w', 'mbind a bind+move+lazy 2');
    const traced = toy.do('trace on', 'touch a', 'trace off');
    for (const step of ['S2', 'C6', 'M9', 'S11']) expect(traced).toMatch(new RegExp(`^ {2}step ${step} `, 'm'));
    expect(traced).toMatch(/^ {2}step M2 +page +0x[0-9a-f]+ {2}frame +\d+@1 {2}allocate on the target – node 2$/m);
    expect(toy.do('touch a')).not.toContain('step');
  });

  it('swap is as small as one likes: nothing can be unmapped lazily without it', async () => {
    const toy = await start();
    toy.do(
      'anon a 8p',
      'map a',
      'mbind a pref 1',
      'touch a w',
      'swap 3',
      'mbind a bind+move+lazy 2',
      'migrate_on_fault off',
    );
    expect(toy.machine.counters.get('mof_pages_unmapped')).toBe(3);
    expect(toy.do('swap 2')).toBe('memtoy:  line 1, column 6: 3 pages are in swap; "swap 0" brings them back\n');
    expect(toy.do('swap 0', 'swap 100', 'invariants')).toBe('memtoy:  invariants hold\n');
    expect(toy.machine.swap.free).toBe(100);
  });

  it('a node that is full gives nothing, until it is free again', async () => {
    const toy = await start();
    toy.do('node 0 full', 'anon a 2p', 'map a', 'touch a 0 1p w', 'node 0 free', 'touch a w');
    expect(toy.where('a')).toEqual([1, 0]);
  });

  it('cpuset confines a process; its pages follow or stay', async () => {
    const toy = await start();
    toy.do('anon a 4p', 'map a', 'touch a w', 'cpuset 2-3');
    expect(toy.where('a')).toEqual([0, 0, 0, 0]);
    expect(toy.do('numa')).toMatch(/^.*\n {4}2 .*\n {4}3 .*\n$/);
    expect(toy.do('mbind a bind 1')).toContain('Invalid argument');
    toy.do('cpuset 1,2 stay', 'cpuset 3 migrate', 'cpuset 2 migrate');
    expect(toy.where('a')).toEqual([0, 0, 0, 0]); // they were on no node of the set
    toy.do('cpuset 0,1 stay', 'cpuset 2,3 migrate');
    expect(toy.where('a')).toEqual([2, 2, 2, 2]);
    checkMachine(toy.machine);
  });

  it('invariants notice when something does not add up', async () => {
    const toy = await start();
    toy.do('anon a 1p', 'map a', 'touch a w');
    toy.machine.frames.get(frameAt(toy.machine, toy.machine.process.tasks()[0], 0x7ffff7ff8));
    toy.do('invariants');
    expect(toy.err).toMatch(/^memtoy: {2}an invariant does not hold: INV-1: /m);
  });
});

it('help is for people: every command is in it, and each has a word to say', async () => {
  const toy = await start();
  const all = toy.do('help');
  const names = [...all.matchAll(/^ {2}([a-z_]+) /gm)].map(([, name]) => name);
  expect(names).toHaveLength(28 + 8);
  for (const name of names) expect(toy.do(`help ${name}`)).toMatch(new RegExp(`^${name}\\b.*\n {4}\\w`));
  expect(toy.do('man un').match(/^\w+/gm)).toEqual(['unmap', 'unlock']);
  expect(toy.out).not.toContain('unmap'); // to stderr, as memtoy does
});

it('Tab completes commands, segments, children and what a command takes', async () => {
  const toy = await start();
  toy.do('anon foo 1p', 'anon fob 1p', 'child kid');
  const complete = (line: string) => toy.session.complete(line)[0].map((word) => word.trimEnd());
  expect(complete('m')).toEqual(['man', 'migrate', 'map', 'mbind', 'mems', 'mpol', 'migrate_on_fault', 'mprotect']);
  expect(complete('touch fo')).toEqual(['foo', 'fob']);
  expect(complete('/k')).toEqual(['/kid']);
  expect(complete('mbind foo int')).toEqual(['interleaved']);
  expect(complete('help sn')).toEqual(['snooze']);
});

it('assumptions names what nobody measured on the machine', async () => {
  const toy = await memtoy({ machine: { ...machine, assumed: ['copyGbs: 8 GB/s (assumed: by rule).'] } });
  expect(toy.do('assumptions')).toContain('memtoy:  copyGbs: 8 GB/s (assumed: by rule).\n');
});

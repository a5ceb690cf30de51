import { z } from 'zod';

/**
 * The form of a recording: what each call takes, and what may be answered. Keys that are not listed are ignored, so that a
 * recorder may say more. Every message says what is expected. What depends on several fields is check-case.ts's.
 */

/** A region is listed page by page after every step: 4 GiB. */
const MAX_PAGES = 2 ** 20;
/** First page number that user space does not have (x86-64, four levels). */
const VPN_LIMIT = 2 ** 35;
/** Frames that the model takes: 1 TiB. */
export const MAX_FRAMES = 2 ** 28;
const MAX_NODES = 256;
const MAX_CPUS = 1024;
const UINT = 2 ** 32 - 1;

const int = (min: number, max: number, what = 'a whole number') => {
  const message = `${what} from ${String(min)} to ${String(max)}`;
  return z.int(message).min(min, message).max(max, message);
};
const list = <T extends z.ZodType>(of: T, what: string) => z.array(of, what);
const oneOf = <const T extends readonly string[]>(...names: T) =>
  z.enum(names, (names.length > 1 ? 'one of ' : '') + names.map((name) => `"${name}"`).join(', '));
/** One of the names, or a raw number of the system call. */
const oneOfOr = (...names: readonly string[]) => {
  const message = `a number or one of ${names.join(', ')}`;
  return z.union([z.enum(names, message), z.int(message).min(0, message).max(UINT, message)], message);
};
/** A list, or what a null pointer and an unreadable one are written as. */
const listOrPointer = (of: z.ZodType) => {
  const message = 'a list of nodes, null or "bad"';
  return z.union([list(of, message), z.null(message), z.literal('bad', message)], message);
};

const text = z.string('a text');
const name = z.string('a name').min(1, 'a name');
const yes = z.boolean('true or false').optional();
const bad = z.literal('bad', '"bad" or nothing').optional();
const count = int(0, Number.MAX_SAFE_INTEGER);
const pages = int(0, MAX_PAGES, 'a number of pages');
const page = int(-MAX_PAGES, MAX_PAGES, 'a page of the region');
const vpn = int(0, VPN_LIMIT - 1, 'a page number');
const cpu = int(0, MAX_CPUS - 1, 'a CPU');
const node = int(0, UINT, 'a node');
const maxnode = int(0, UINT).optional();
const addrOffset = int(0, 2 ** 47 - 1, 'a number of bytes').optional();
/** Bits of a mask. */
const mask = listOrPointer(int(0, 2 ** 16 - 1, 'a node'));
const nodeList = z.union(
  [list(int(0, 2 ** 16 - 1, 'a node'), 'a list of nodes'), z.string()],
  'a list of nodes or a text',
);
const flags = (...names: readonly string[]) => list(oneOfOr(...names), `a list of numbers or of ${names.join(', ')}`);

const byTask = { task: name };
const ofRegion = { ...byTask, region: name };
const range = { ...ofRegion, page, count: pages, addrOffset };
const BYTES = 'a number of bytes, or one in hexadecimal like "0xfffffffffffff000"';
const byteLen = z
  .union([z.int(BYTES).min(0, BYTES), z.string(BYTES).regex(/^0x[0-9a-f]{1,16}$/i, BYTES)], BYTES)
  .optional();
const mode = {
  mode: oneOfOr('default', 'preferred', 'bind', 'interleave', 'local', 'preferred_many', 'weighted_interleave'),
  modeFlags: flags('static', 'relative', 'numa_balancing').optional(),
};
const moveFlags = flags('strict', 'move', 'move_all', 'lazy');
const prot = oneOf('rw', 'r', 'none', 'rx');
const access = oneOf('r', 'w');
const fileRange = { ...byTask, object: name, page: pages, count: pages };
const device = { device: oneOf('ram') };
const target = { target: name.optional(), pid: int(-(2 ** 31), 2 ** 31 - 1).optional() };
const advice = oneOfOr(
  ...['dontneed', 'free', 'remove', 'pageout', 'willneed', 'random', 'cold', 'populate_read', 'populate_write'],
  ...['wipeonfork', 'dontfork', 'hugepage', 'nohugepage', 'collapse'],
);

/** Operation → its arguments. */
const ARGUMENTS = {
  task: { ...byTask, cpu },
  fork: { ...byTask, child: name },
  exit: byTask,
  sched_setaffinity: { ...byTask, cpus: list(cpu, 'a list of CPUs') },
  setuid: { ...byTask, uid: int(0, UINT) },
  object: {
    ...{ object: name, kind: oneOf('memfd', 'tmpfs', 'ext4'), length: pages },
    ...{ mountPolicy: text.optional(), mountHuge: text.optional() },
  },
  swapon: device,
  swapoff: device,
  sysctl: { name, value: z.union([z.number(), z.string()], 'a number or a text') },
  fill: { node, freeHuge: count.optional() },
  unfill: {},
  drop_caches: {},
  cpuset_create: {
    ...{ cpuset: name, cpus: nodeList.optional(), mems: nodeList.optional() },
    ...{ memoryMigrate: yes, spreadPage: yes },
  },
  cpuset_set: { cpuset: name, mems: nodeList.optional(), memoryMigrate: yes },
  cpuset_attach: { ...byTask, cpuset: name },
  mmap: {
    ...{ ...ofRegion, vpn, length: pages, kind: oneOf('anon', 'object'), share: oneOf('private', 'shared') },
    ...{ object: name.optional(), pageOffset: pages.optional(), prot: prot.optional(), populate: yes, locked: yes },
  },
  munmap: range,
  mprotect: { ...range, prot },
  mlock: range,
  munlock: range,
  mremap: { ...ofRegion, newLength: pages, toVpn: vpn.optional() },
  madvise: { ...range, advice },
  touch: { ...range, access, stride: int(1, MAX_PAGES).optional() },
  touch_loop: { ...range, access, ms: count },
  file_write: fileRange,
  file_read: fileRange,
  numa_maps: ofRegion,
  mbind: { ...range, ...mode, nodes: mask, flags: moveFlags.optional(), maxnode, byteLen },
  set_mempolicy: { ...byTask, ...mode, nodes: mask, maxnode },
  get_mempolicy: {
    ...{ ...byTask, flags: flags('node', 'addr', 'mems_allowed'), region: name.optional(), page: page.optional() },
    ...{ addr: count.optional(), addrOffset, maxnode, nodemask: yes, policyPtr: yes },
  },
  set_mempolicy_home_node: { ...range, node, flags: count, byteLen },
  move_pages: {
    ...{ ...ofRegion, ...target, indices: list(page, 'a list of pages'), flags: moveFlags },
    nodes: listOrPointer(int(-(2 ** 31), 2 ** 31 - 1, 'a node')),
    ...{ nrPages: pages.optional(), usePid: yes, pagesPtr: bad, nodesPtr: bad, statusPtr: bad },
  },
  migrate_pages: { ...byTask, ...target, from: mask, to: mask, maxnode },
};

const number = z.int('a whole number');
const numbers = list(number, 'a list of whole numbers');
const byKey = <T extends z.ZodType>(of: T) => z.record(z.string(), of, 'an object').optional();
const result = z.looseObject(
  {
    ret: number,
    errno: z
      .string('null or a name like "EINVAL"')
      .regex(/^E[A-Z0-9]+$/, 'null or a name like "EINVAL"')
      .nullable(),
    signal: oneOf('SIGSEGV', 'SIGBUS', 'SIGKILL').optional(),
    ...{ killed: yes, minflt: count.optional(), majflt: count.optional(), inode: count.optional() },
    ...{ value: number.nullish(), nodes: numbers.nullish(), nodeWords: count.nullish() },
    status: list(number.nullable(), 'a list of whole numbers and null').optional(),
    maps: list(z.record(z.string(), z.union([z.int(), z.string()]), 'an object'), 'a list of lines').optional(),
  },
  'an object with "ret" and "errno"',
);
const answers = {
  result,
  pages: byKey(numbers),
  pagesSeen: byKey(list(numbers, 'a list of lists')),
  pagesRuns: byKey(list(z.tuple([number, count], 'a pair [state, count]'), 'a list of pairs [state, count]')),
  ...{ hugePages: byKey(count), hugeParts: byKey(count), hugeZero: byKey(count) },
  ...{ counters: byKey(number), nodeCounters: byKey(numbers), unstable: list(text, 'a list of names').optional() },
};

/** Operation → the form of its steps. */
export const STEPS: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries(ARGUMENTS).map(([op, fields]) => [op, z.looseObject({ ...fields, ...answers })]),
);

const DISTANCE = 'a distance';
const machine = z.looseObject(
  {
    name,
    nodes: list(
      z.looseObject(
        {
          id: int(0, MAX_NODES - 1),
          cpus: list(cpu, 'a list of CPUs'),
          pages: int(0, MAX_FRAMES, 'a number of pages'),
        },
        'an object with "id", "cpus" and "pages"',
      ),
      'a list of nodes',
    )
      .min(1, 'at least one node')
      .max(MAX_NODES, `at most ${String(MAX_NODES)} nodes`),
    distance: list(list(int(10, 255, DISTANCE), 'a row [10, …]'), 'a table [[10, …], …]'),
    possibleNodes: int(1, 2 ** 16),
  },
  'an object with nodes and distance',
);

/** A case without its steps, which are checked one by one: their form depends on the operation. */
export const CASE = z.looseObject(
  {
    ...{ name, category: name, machine, eventual: yes, note: text.optional() },
    cgroup: z.literal([1, 2], '1 or 2').optional(),
    tags: list(text, 'a list of texts').optional(),
    steps: list(z.unknown(), 'a list of steps').min(1, 'at least one step'),
  },
  'an object with a name, a machine and steps',
);

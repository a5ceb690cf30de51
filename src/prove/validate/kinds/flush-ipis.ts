import { makeCalls } from '../../../engine/index.js';
import { VM_READ, VM_WRITE } from '../../../mm/index.js';
import { asCpuId } from '../../../units.js';
import { defineKind } from '../kind.js';
import { engineMachine } from './engine-machine.js';

const FIRST_PAGE = 2 ** 20;
const MOST_PAGES = 2 ** 20;
const MOST_CPUS = 512;
/** Kernels before and after batched migration (6.3). */
const PAGE_BY_PAGE = 'linux-6.1';
const BATCHES = 'linux-6.12';
const MPOL_MF_MOVE = 1 << 1;

export const flushIpisKind = defineKind({
  name: 'flush-ipis',
  about: 'interrupts for TLB flushes when pages move that threads of other CPUs use: counted in moves of the engine',
  y: ['ratio', 'count'],
  yMeans:
    'interrupts of a kernel that flushes per batch over those of one that flushes per page, less 1; or (a count) interrupts with batches',
  x: 'batch',
  parameters: {
    batch: { about: 'pages per call, and so per flush', unit: '', form: 'number', whole: [1, 512], isRequired: true },
    pages: { about: 'pages moved', unit: '', form: 'number', whole: [1, MOST_PAGES], initial: 16_384 },
    cpus: {
      about: 'CPUs that run threads of the process',
      unit: '',
      form: 'number',
      whole: [2, MOST_CPUS],
      initial: 8,
    },
  },
  async compute(values, dimension) {
    const [batch, pages, cpus] = [values.number('batch'), values.number('pages'), values.number('cpus')];
    const batched = await interruptsOf(pages, batch, cpus, BATCHES);
    return dimension === 'count' ? batched : batched / (await interruptsOf(pages, batch, cpus, PAGE_BY_PAGE)) - 1;
  },
});

/** Interrupts received while move_pages moves `pages` to the other node, `batch` per call. */
async function interruptsOf(pages: number, batch: number, cpus: number, profile: string): Promise<number> {
  const machine = await engineMachine(2, Math.ceil(cpus / 2), pages, profile);
  const { memory, process, counters } = machine;
  const { movePages } = makeCalls(machine, { modes: new Map(), cgroup: 1, possibleNodes: 2 }).pages;
  const task = process.newProcess(asCpuId(0));
  memory.mmap(task.space, FIRST_PAGE, pages, { flags: VM_READ | VM_WRITE }, task.cpu);
  for (let page = 0; page < pages; page++) machine.touch(task, FIRST_PAGE + page, true);
  for (let cpu = 1; cpu < cpus; cpu++) machine.touch(process.newThread(task, asCpuId(cpu)), FIRST_PAGE, false);
  const before = counters.get('nr_tlb_remote_flush_received');
  for (let from = 0; from < pages; from += batch) {
    const vpns = Array.from({ length: Math.min(batch, pages - from) }, (_, i) => FIRST_PAGE + from + i);
    movePages(
      task,
      task,
      vpns,
      vpns.map(() => 1),
      MPOL_MF_MOVE,
      vpns.map(() => null),
    );
  }
  return counters.get('nr_tlb_remote_flush_received') - before;
}

import { PTE_DIRTY, type PageTables } from '../../hardware/index.js';
import { formatNodes } from '../../hardware/index.js';
import {
  PG_ACTIVE,
  PG_DIRTY,
  PG_UNEVICTABLE,
  type Frames,
  type Mempolicy,
  type PolicyLookup,
  type Task,
  type Vma,
} from '../../mm/index.js';
import type { Pfn } from '../../units.js';
import type { MemorySyscalls } from './memory.js';
import { MODE_WORDS } from './new-policy.js';

/** Rule variant `numaMaps`: how a line of numa_maps is written (MP section 9). */
export interface NumaMapsForm {
  /** Between a policy and its nodes: `bind=0-1` [2.6.16], `bind:0-1` [6.x]. */
  readonly beforeNodes: '=' | ':';
  /** Size of the area's pages in KiB at the end of each line that counts pages; null: not there. */
  readonly pageKb: number | null;
  /** Pages that are never evicted count as active. */
  readonly unevictableIsActive: boolean;
}
export const numaMaps2616: NumaMapsForm = { beforeNodes: '=', pageKb: null, unevictableIsActive: false };
export const numaMaps6: NumaMapsForm = { beforeNodes: ':', pageKb: 4, unevictableIsActive: true };

/** One line of /proc/PID/numa_maps (MP section 9): one area, and the pages that its process maps there. */
export interface NumaMapsLine {
  /** Page number of the area's first page. */
  readonly vpn: number;
  /** The policy in force at the start of the area, its own or the task's. */
  readonly policy: string;
  /** `file=NAME`, `heap`, `stack`, or empty. */
  readonly place: string;
  /** Pages mapped, and the anonymous ones among them; those dirty, in the swap cache, active, being written. */
  readonly pages: number;
  readonly anon: number;
  readonly dirty: number;
  readonly swapCache: number;
  readonly active: number;
  readonly writeback: number;
  /** The most mappings that one of the pages has. */
  readonly mapMax: number;
  /** Pages mapped, by node. */
  readonly nodes: readonly number[];
  readonly pageKb: number | null;
}

/**
 * The line as the file has it: `7f5500000000 bind:0-1 anon=33 dirty=33 active=0 N0=30 N1=3 kernelpagesize_kB=4`. What says
 * nothing is left out: all counts where no page is, `mapped` where all pages are anonymous or all are dirty, `mapmax` of 1,
 * `active` where all pages are. Kernel: show_numa_map(), fs/proc/task_mmu.c
 */
export function numaMapsText(line: NumaMapsLine): string {
  const { pages, anon, dirty, active, mapMax } = line;
  const counts: readonly (readonly [string, number, boolean])[] = [
    ['anon', anon, anon > 0],
    ['dirty', dirty, dirty > 0],
    ['mapped', pages, pages !== anon && pages !== dirty],
    ['mapmax', mapMax, mapMax > 1],
    ['swapcache', line.swapCache, line.swapCache > 0],
    ['active', active, active < pages],
    ['writeback', line.writeback, line.writeback > 0],
    ...line.nodes.map((count, node) => [`N${String(node)}`, count, count > 0] as const),
    ['kernelpagesize_kB', line.pageKb ?? 0, line.pageKb !== null],
  ];
  const shown = pages === 0 ? [] : counts.filter(([, , isShown]) => isShown);
  const start = (line.vpn * 4096).toString(16).padStart(8, '0');
  return [
    start,
    line.policy,
    ...(line.place === '' ? [] : [line.place]),
    ...shown.map(([k, n]) => `${k}=${String(n)}`),
  ].join(' ');
}

export interface NumaMapsParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly memory: MemorySyscalls;
  readonly nodeCount: number;
  readonly zeroPage: Pfn;
  readonly form: NumaMapsForm;
  readonly lookup: PolicyLookup;
}

/** @returns a function that gives the lines of a process, in order of address */
export function makeNumaMaps(parts: NumaMapsParts): (task: Task) => NumaMapsLine[] {
  const { frames, tables, memory, nodeCount, zeroPage, form, lookup } = parts;
  const activeFlags = PG_ACTIVE | (form.unevictableIsActive ? PG_UNEVICTABLE : 0);

  /** A policy: mode, flags, nodes in force. Kernel: mpol_to_str() */
  function policyText(policy: Mempolicy | null): string {
    if (policy === null) return 'default';
    const { definition, flag, numaBalancing } = policy.request;
    const number = definition.mode?.number;
    const word = (number === undefined ? undefined : MODE_WORDS[number]) ?? definition.name;
    const words = [...(flag === null ? [] : [flag]), ...(numaBalancing === true ? ['balancing'] : [])];
    const flags = words.length === 0 ? '' : `=${words.join('|')}`;
    return policy.nodes.length === 0 ? word : `${word}${flags}${form.beforeNodes}${formatNodes(policy.nodes)}`;
  }

  /** What the area shows: a file by its name, blanks as the kernel escapes them. */
  function placeOf({ file, name }: Vma): string {
    if (file !== null) return `file=${file.name.replaceAll(' ', '\\040')}`;
    return /^\[?(heap|stack)\]?$/.exec(name)?.[1] ?? '';
  }

  function lineOf(task: Task, vma: Vma): NumaMapsLine {
    const nodes = Array.from({ length: nodeCount }, () => 0);
    let [pages, anon, dirty, swapCache, active, writeback, mapMax] = [0, 0, 0, 0, 0, 0, 0];
    memory.forEachEntry(vma, (_, page) => {
      const pfn = tables.word[page] as Pfn;
      if (!tables.isPresent(page) || pfn === zeroPage) return;
      pages++;
      nodes[frames.nodeOf(pfn)]++;
      if (frames.isAnon(pfn)) anon++;
      if ((tables.bits[page] & PTE_DIRTY) !== 0 || frames.has(pfn, PG_DIRTY)) dirty++;
      if (frames.isSwapCache(pfn)) swapCache++;
      if (frames.has(pfn, activeFlags)) active++;
      if (frames.isWriteback(pfn)) writeback++;
      mapMax = Math.max(mapMax, frames.mapcount(pfn));
    });
    return {
      ...{ vpn: vma.start, policy: policyText(lookup.ofVma(task, vma, 0)), place: placeOf(vma) },
      ...{ pages, anon, dirty, swapCache, active, writeback, mapMax, nodes, pageKb: form.pageKb },
    };
  }

  return (task) => Array.from(task.space.vmas, (vma) => lineOf(task, vma));
}

import type { PageTables } from '../../hardware/index.js';
import { formatNodes } from '../../hardware/index.js';
import type { Frames, Mempolicy, Task } from '../../mm/index.js';
import type { Pfn } from '../../units.js';
import type { MemorySyscalls } from './memory.js';
import { MODE_WORDS } from './new-policy.js';

/** One line of /proc/PID/numa_maps (MP section 9): one area. */
export interface NumaMapsLine {
  /** Page number of the area's first page. */
  readonly vpn: number;
  readonly policy: string;
  /** Anonymous pages mapped. */
  readonly anon: number;
  /** Pages mapped, by node. */
  readonly nodes: readonly number[];
}

/** The line as the file has it, as far as the model knows: `7f5500000000 default anon=33 N0=30 N1=3`. */
export function numaMapsText({ vpn, policy, anon, nodes }: NumaMapsLine): string {
  const places = nodes.flatMap((pages, node) => (pages > 0 ? [`N${String(node)}=${String(pages)}`] : []));
  return [(vpn * 4096).toString(16), policy, ...(anon > 0 ? [`anon=${String(anon)}`] : []), ...places].join(' ');
}

/** A policy as numa_maps shows it: mode, flags, nodes in force. Kernel: mpol_to_str() */
function policyText(policy: Mempolicy | null): string {
  if (policy === null) return 'default';
  const { definition, flag } = policy.request;
  const number = definition.mode?.number;
  const word = (number === undefined ? undefined : MODE_WORDS[number]) ?? definition.name;
  const flags = flag === null ? '' : `=${flag}`;
  return policy.nodes.length === 0 ? word : `${word}${flags}:${formatNodes(policy.nodes)}`;
}

export interface NumaMapsParts {
  readonly frames: Frames;
  readonly tables: PageTables;
  readonly memory: MemorySyscalls;
  readonly nodeCount: number;
  readonly zeroPage: Pfn;
}

/** @returns a function that gives the lines of a process, in order of address */
export function makeNumaMaps({
  frames,
  tables,
  memory,
  nodeCount,
  zeroPage,
}: NumaMapsParts): (task: Task) => NumaMapsLine[] {
  return (task) =>
    task.space.vmas.map((vma) => {
      const nodes = Array.from({ length: nodeCount }, () => 0);
      let anon = 0;
      memory.forEachEntry(vma, (_, page) => {
        const pfn = tables.word[page] as Pfn;
        if (!tables.isPresent(page) || pfn === zeroPage) return;
        nodes[frames.nodeOf(pfn)]++;
        if (frames.isAnon(pfn)) anon++;
      });
      const own = vma.file?.isShmem === true ? vma.file.policyAt(vma.filePage) : vma.policy;
      return { vpn: vma.start, policy: policyText(own ?? task.policy), anon, nodes };
    });
}

import { type Task, VM_EXEC, VM_READ, VM_WRITE } from '../mm/index.js';
import type { Segment, SegmentKind } from './segments.js';
import { bytesOf } from './words.js';
import type { World } from './world.js';

interface Layout {
  readonly name: string;
  readonly kind: SegmentKind;
  readonly vpn: number;
  readonly pages: number;
  readonly filePage: number;
  readonly protection: number;
}

/** What a statically linked program has mapped when it starts: the same in every session. */
const LAYOUT: readonly Layout[] = [
  { name: 'memtoy:text', kind: 'f', vpn: 0x555555554, pages: 16, filePage: 0, protection: VM_READ | VM_EXEC },
  { name: 'memtoy:data', kind: 'f', vpn: 0x555555564, pages: 2, filePage: 16, protection: VM_READ | VM_WRITE },
  { name: 'heap', kind: 'a', vpn: 0x555555566, pages: 33, filePage: 0, protection: VM_READ | VM_WRITE },
  { name: 'stack', kind: 'a', vpn: 0x7ffffffde, pages: 33, filePage: 0, protection: VM_READ | VM_WRITE },
];

/** Maps the program itself into a new process. No page of it is in memory yet: the model executes no instructions. */
export function mapProgram({ machine }: World, task: Task): Segment[] {
  const program = machine.files.create('file', 'memtoy', 18);
  return LAYOUT.map(({ name, kind, vpn, pages, filePage, protection }) => {
    const object = kind === 'f' ? program : null;
    machine.memory.mmap(task.space, vpn, pages, { flags: protection, file: object, filePage, name }, task.cpu);
    return {
      ...{ name, kind, shown: name, length: bytesOf(pages), offset: bytesOf(filePage), protection },
      ...{ share: 'private', object, vpn, isPreloaded: true },
    };
  });
}

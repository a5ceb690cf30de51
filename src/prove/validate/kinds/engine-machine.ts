import { compose, loadPolicy, type Machine } from '../../../engine/index.js';
import { parseMachine } from '../../../hardware/index.js';

/** Memory that is free beyond what a measurement touches, so that watermarks play no part. */
const SPARE = 2;

/** A whole machine of the engine with room for `pages` on each of its nodes, as a kernel of this profile runs it. */
export async function engineMachine(
  nodes: number,
  cpusPerNode: number,
  pages: number,
  profile = 'linux-6.12',
): Promise<Machine> {
  const file = { name: 'figure', nodes: [{ cpus: cpusPerNode, memory: SPARE * pages + 65_536, repeat: nodes }] };
  return compose({
    machine: parseMachine(JSON.stringify(file), 'the machine of a figure'),
    profile,
    switches: {
      hookSwap: false,
      hookFile: false,
      hookShmem: false,
      pageCluster: 0,
      readahead: false,
      faultAround: false,
    },
    expectedPages: pages,
    defaultPolicy: await loadPolicy('default', '.'),
  });
}

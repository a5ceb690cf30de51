import { describe, expect, it } from 'vitest';
import { replayRows, write } from '../engine/replay/replays.js';
import { temporaryDirectory } from '../support/tmp-dir.js';

const dir = await temporaryDirectory();
const PAGES = 1024;
/** Two threads; the second one's CPU may know every page. */
const rows = [
  write(0, 0, 0),
  write(1, 1, 0),
  ...Array.from({ length: PAGES }, (_, page) => write(2 + page, 0, page)),
  write(2 + PAGES, 0, 0),
];
const tiny = { nodes: 2, cpusPerNode: 2, framesPerNode: 4096 };

// Rule variant `flushBatch`: from 6.3 on migrate_pages() unmaps up to 512 pages before it interrupts other CPUs.
describe('TLB flushes of a direct move', () => {
  const interruptsUnder = async (profile: string) => {
    const run = `default+cpus=pack+migrate=0:1@row:${String(PAGES + 2)}+profile=${profile}`;
    const { counters, whole, outcome } = await replayRows(dir, { rows }, run, { tiny });
    expect([outcome.kind, counters.pgmigrate_success]).toEqual(['done', PAGES]);
    return { received: counters.nr_tlb_remote_flush_received, migrationNs: whole.migrationNs };
  };

  it('are one per batch of 512 pages under linux-6.12, and one per page before: 99.8 % fewer interrupts', async () => {
    const [each, batched] = await Promise.all(['linux-6.1', 'linux-6.12'].map(interruptsUnder));
    expect([each.received, batched.received]).toEqual([2 * PAGES, 2 * 2]);
    expect(1 - batched.received / each.received).toBeCloseTo(0.998, 3);
    // Everything else of the move costs the same. Two CPUs are told by a third.
    const flushNs = 2 * 2000;
    expect(each.migrationNs - batched.migrationNs).toBeCloseTo((PAGES - 2) * flushNs, 3);
  });

  it('of linux-5.15 are those of linux-6.1', async () => {
    expect((await interruptsUnder('linux-5.15')).received).toBe(2 * PAGES);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A directory of its own for the files of one test file; removed after its tests. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'migrate-on-fault-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

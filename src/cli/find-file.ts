import { accessSync, constants, statSync } from 'node:fs';
import type { FoundFile } from '../memtoy/index.js';

/** Looks at a real file for memtoy: size and permissions, never the contents. @returns the name of an errno value if it cannot be opened */
export function findFile(path: string): FoundFile | string {
  try {
    const found = statSync(path, { bigint: true });
    if (!found.isFile()) return found.isDirectory() ? 'EISDIR' : 'EINVAL';
    const mayRead = may(path, constants.R_OK);
    const mayWrite = may(path, constants.W_OK);
    if (!mayRead && !mayWrite) return 'EACCES';
    return { id: `${found.dev}:${found.ino}`, bytes: Number(found.size), mayRead, mayWrite };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

import { MmError } from '../../src/errors.js';

/** Code and message of the `MmError` that `work` throws. Anything else that it throws goes on; nothing is an error too. */
export function errorOf(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    return plain(error);
  }
  throw new Error('expected an MmError; nothing was thrown');
}

/** The same for what `work` promises. */
export async function errorOfAsync(work: () => Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work();
  } catch (error) {
    return plain(error);
  }
  throw new Error('expected an MmError; nothing was thrown');
}

function plain(error: unknown): { code: string; message: string } {
  if (!(error instanceof MmError)) throw error;
  return { code: error.code, message: error.message };
}

import { errnoName, MmError } from '../errors.js';

/** Mistakes in a script, in memtoy's words; the session prints them behind the program's name. */
export const mistake = (sentence: string): MmError => new MmError('BAD_SCRIPT', sentence);

/** How the C library says an errno value. */
const SAID: Readonly<Record<string, string>> = {
  ...{ EPERM: 'Operation not permitted', ENOENT: 'No such file or directory', ESRCH: 'No such process' },
  ...{ EIO: 'Input/output error', EAGAIN: 'Resource temporarily unavailable', ENOMEM: 'Cannot allocate memory' },
  ...{ EACCES: 'Permission denied', EFAULT: 'Bad address', EBUSY: 'Device or resource busy', EEXIST: 'File exists' },
  ...{ ENODEV: 'No such device', EINVAL: 'Invalid argument', ENOSPC: 'No space left on device' },
  ...{ EISDIR: 'Is a directory', ENOTDIR: 'Not a directory', ELOOP: 'Too many levels of symbolic links' },
  ...{ ENAMETOOLONG: 'File name too long', EOPNOTSUPP: 'Operation not supported' },
};

/** `EINVAL` → `Invalid argument`. */
export const saidOf = (name: string): string => SAID[name] ?? name;

/** A system call said no. @param ret minus an errno value */
export function callFailed(call: string, ret: number, segment?: string): MmError {
  return mistake(
    `${call}()${segment === undefined ? '' : ` of segment ${segment}`} failed - ${saidOf(errnoName(-ret))}`,
  );
}

/** Throws if a call said no. @returns what it returned */
export function checkCall(call: string, ret: number, segment?: string): number {
  if (ret < 0) throw callFailed(call, ret, segment);
  return ret;
}

import { readFile, stat } from 'node:fs/promises';
import { MACHINES_FILE } from './bundled.js';
import { MmError } from '../errors.js';
import {
  type MachineCatalogue,
  type MachineDescription,
  machineNamed,
  parseMachine,
  parseMachineCatalogue,
} from '../hardware/index.js';

/** The machine that `--machine` names: a bundled one, else a file. @throws MmError with the nearest name */
export async function loadMachine(nameOrFile: string): Promise<MachineDescription> {
  const catalogue = await bundledMachines();
  const bundled = catalogue.machines.find((machine) => machine.name === nameOrFile);
  if (bundled) return bundled;
  const looksLikeFile = /[/\\]|\.json$/.test(nameOrFile);
  if (looksLikeFile || (await isFile(nameOrFile))) return parseMachine(await readText(nameOrFile), nameOrFile);
  return machineNamed(catalogue, nameOrFile);
}

export async function bundledMachines(): Promise<MachineCatalogue> {
  return parseMachineCatalogue(await readFile(MACHINES_FILE, 'utf8'));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new MmError('NO_SUCH_FILE', `no machine file ${path}; bundled machines: mof machine list`);
    throw new MmError('BAD_MACHINE', `cannot read machine file ${path}: ${code ?? String(error)}`);
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

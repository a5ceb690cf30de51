import { copySpeedup, copySpeedupOf, migrationTime, type MigrationTime } from '../../../cost/index.js';
import { IPI_FURTHER_NS, IPI_NS, shootdownNs } from './interrupts.js';
import { cannot, type Parameter, type Uncomputable, type Values } from '../kind.js';

const KIB = 1024;
/** What one entry of the second level maps, in pages: 2 MiB of 4 KiB pages, 512 MiB of 64 KiB ones; POWER maps 16 MiB so. */
const PAGES_PER_BLOCK = 512;

/** Parameters of all kinds that move folios. */
export const MIGRATION_PARAMETERS = {
  folios: { about: 'folios (pages) moved', unit: '', form: 'number', initial: 1 },
  folioKiB: { about: 'size of a folio', unit: 'KiB', form: 'number', initial: 4 },
  mapped: {
    about:
      'pages: each base page by its own entry; whole: one entry maps the folio (default: whole from 512 base pages on)',
    unit: '',
    form: 'text',
    words: ['pages', 'whole'],
  },
  foliosPerCall: { about: 'folios per call (default: all)', unit: '', form: 'number' },
  basePageKiB: {
    about: 'base page',
    unit: 'KiB',
    form: 'number',
    initial: 4,
  },
  callUs: {
    about: 'a call, whatever it moves',
    unit: 'us',
    form: 'number',
    isRequired: true,
    machine: { field: 'migrate.baseUs', read: ({ cost }) => cost.migrateBaseNs / 1000 },
  },
  folioUs: {
    about: 'control work per folio, that of one entry included, without copy',
    unit: 'us',
    form: 'number',
    isRequired: true,
    machine: { field: 'migrate.perFolioUs', read: ({ cost }) => cost.migratePerFolioNs / 1000 },
  },
  entryUs: {
    about: 'control work more per base page of a folio that is mapped by pages',
    unit: 'us',
    form: 'number',
    initial: 0,
    machine: {
      field: 'migrate.perPageUs',
      read: ({ cost }) => (cost.migratePerPageNs - cost.migratePerFolioNs) / 1000,
    },
  },
  copyGbs: {
    about: 'one thread copying',
    unit: 'GB/s',
    form: 'number',
    isRequired: true,
    machine: { field: 'copyGbs', read: ({ cost }) => cost.pageCopyGbs },
  },
  copyThreads: { about: 'threads that copy together', unit: '', form: 'number', whole: [1, 4096], initial: 1 },
  copySpeedup: {
    about: 'how many times as fast as one they copy; if left out, by Amdahl’s law through copySpeedup8',
    unit: '',
    form: 'number',
  },
  copySpeedup8: {
    about: 'how many times as fast as one eight threads copy',
    unit: '',
    form: 'number',
    machine: { field: 'migrate.copySpeedup', read: ({ cost }) => cost.copySpeedup },
  },
  wholeGbs: {
    about: 'instead of copySpeedup: the rate with these threads for folios of wholeKiB that one entry maps',
    unit: 'GB/s',
    form: 'number',
  },
  otherCpus: {
    about: 'other CPUs that run threads of the program and have to flush',
    unit: '',
    form: 'number',
    whole: [0, 4095],
    initial: 0,
  },
  foliosPerFlush: { about: 'folios that share a flush', unit: '', form: 'number', initial: 512 },
  ipiNs: IPI_NS,
  ipiFurtherNs: IPI_FURTHER_NS,
  wholeKiB: { about: 'size of the folios behind wholeGbs', unit: 'KiB', form: 'number', initial: 2048 },
} as const satisfies Record<string, Parameter>;

export interface Migration extends MigrationTime {
  readonly bytes: number;
}

export function migrationOf(values: Values): Migration | Uncomputable {
  const number = (name: keyof typeof MIGRATION_PARAMETERS) => values.number(name);
  const [folios, folioBytes] = [number('folios'), number('folioKiB') * KIB];
  const pages = number('folioKiB') / number('basePageKiB');
  const isWhole = values.has('mapped') ? values.text('mapped') === 'whole' : pages >= PAGES_PER_BLOCK;
  if (number('otherCpus') > 0 && !(values.has('ipiNs') && values.has('ipiFurtherNs')))
    return cannot('there are otherCpus, and what interrupts take (ipiNs, ipiFurtherNs) is not given');
  const constants = {
    callNs: number('callUs') * 1000,
    folioNs: number('folioUs') * 1000,
    entryNs: number('entryUs') * 1000,
    copyGbs: number('copyGbs'),
  };
  const speedup = values.has('wholeGbs')
    ? copySpeedupOf(constants, number('wholeKiB') * KIB, number('wholeGbs'))
    : givenSpeedup(values);
  if (speedup === null)
    return cannot(
      `how much faster ${String(number('copyThreads'))} threads copy is not known: copySpeedup or wholeGbs`,
    );
  const flushNs =
    number('otherCpus') === 0
      ? 0
      : Math.ceil(folios / number('foliosPerFlush')) * shootdownNs(values, number('otherCpus'));
  const calls = values.has('foliosPerCall') ? Math.ceil(folios / number('foliosPerCall')) : 1;
  const time = migrationTime(
    { ...constants, copySpeedup: speedup },
    { calls, folios, folioBytes, entries: isWhole ? 0 : pages },
  );
  return { ...time, totalNs: time.totalNs + flushNs, bytes: folios * folioBytes };
}

function givenSpeedup(values: Values): number | null {
  if (values.has('copySpeedup')) return values.number('copySpeedup');
  const threads = values.number('copyThreads');
  if (threads === 1) return 1;
  return values.has('copySpeedup8') ? copySpeedup(values.number('copySpeedup8'), threads) : null;
}

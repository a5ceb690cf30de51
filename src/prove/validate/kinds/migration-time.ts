import { defineKind } from '../kind.js';
import { MIGRATION_PARAMETERS, migrationOf } from './migration-parameters.js';

export const migrationTimeKind = defineKind({
  name: 'migration-time',
  about:
    'time of calls that move pages: B + n (o + k·w + bytes / (bw · s)), and flushes where other CPUs run the program',
  y: ['time'],
  yMeans: 'time of all calls together',
  x: 'folios',
  parameters: MIGRATION_PARAMETERS,
  compute(values) {
    const migration = migrationOf(values);
    return 'because' in migration ? migration : migration.totalNs;
  },
});

export const migrationThroughputKind = defineKind({
  name: 'migration-throughput',
  about: 'rate at which calls move pages: bytes over the time of migration-time',
  y: ['bandwidth', 'rate'],
  yMeans: 'bytes per second, or (unit like pages/s) folios per second',
  x: 'folioKiB',
  parameters: {
    ...MIGRATION_PARAMETERS,
    folios: {
      ...MIGRATION_PARAMETERS.folios,
      about: 'folios moved; with totalMiB instead: as many as that is',
      initial: 0,
    },
    totalMiB: { about: 'memory moved, if folios is not given', unit: 'MiB', form: 'number', initial: 1024 },
  },
  compute(values, dimension) {
    const given = values.number('folios');
    const folios = given > 0 ? given : (values.number('totalMiB') * 1024) / values.number('folioKiB');
    const migration = migrationOf({
      ...values,
      number: (name) => (name === 'folios' ? folios : values.number(name)),
    });
    if ('because' in migration) return migration;
    const { bytes, totalNs } = migration;
    return dimension === 'rate' ? (1e9 * folios) / totalNs : bytes / totalNs;
  },
});

export const copyShareKind = defineKind({
  name: 'copy-share',
  about: 'share of the time of a call that is copying',
  y: ['ratio'],
  yMeans: 'time of the copies over the time of migration-time',
  x: 'folios',
  parameters: MIGRATION_PARAMETERS,
  compute(values) {
    const migration = migrationOf(values);
    return 'because' in migration ? migration : migration.copyNs / migration.totalNs;
  },
});

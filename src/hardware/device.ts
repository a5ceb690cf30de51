import type { CostDescription, MachineDescription, ValueOrigin } from './machine-description.js';

/** What swap and files can lie on. No table of their times was found: estimates, and said to be so wherever they are used. */
export type DeviceKind = 'disk' | 'flash';

interface DeviceValues {
  readonly majorFaultNs: number;
  readonly atOnce: number;
  readonly nextPageNs: number;
  /** What each rests on. */
  readonly why: Readonly<Record<'majorNs' | 'atOnce' | 'nextPageNs', string>>;
}

export const DEVICES: Readonly<Record<DeviceKind, DeviceValues>> = {
  disk: {
    ...{ majorFaultNs: 8_000_000, atOnce: 1, nextPageNs: 58_500 },
    why: {
      majorNs: 'a random read of a 10,000 rpm disk, half a turn and a seek',
      atOnce: 'a disk has one head',
      nextPageNs: '4 KiB at the 70 MB/s that a disk reads in a row',
    },
  },
  flash: {
    ...{ majorFaultNs: 90_000, atOnce: 32, nextPageNs: 90_000 },
    why: {
      majorNs: 'a 4 KiB read from NVMe flash takes 70 to 100 µs; the fault around it included',
      atOnce: 'flash of several channels',
      nextPageNs: 'flash has nothing to seek',
    },
  },
};

/** A major fault that takes so long moves a head. */
const DISK_NS = 1_000_000;
export const deviceOf = (majorFaultNs: number): DeviceKind => (majorFaultNs >= DISK_NS ? 'disk' : 'flash');

/** The machine with another device for swap and files. */
export function onDevice(machine: MachineDescription, kind: DeviceKind): MachineDescription {
  const { majorFaultNs, atOnce, nextPageNs, why } = DEVICES[kind];
  const cost: CostDescription = {
    ...machine.cost,
    ...{ majorFaultNs, writebackNs: majorFaultNs, deviceAtOnce: atOnce, deviceNextNs: nextPageNs },
  };
  const ns = (value: number): string => `${String(value)} ns`;
  const values: readonly ValueOrigin[] = [
    { field: 'faults.majorNs', value: ns(majorFaultNs), mark: 'estimated', source: why.majorNs },
    { field: 'faults.writebackNs', value: ns(majorFaultNs), mark: 'assumed', source: 'as a major fault' },
    { field: 'device.atOnce', value: `${String(atOnce)} at once`, mark: 'assumed', source: why.atOnce },
    { field: 'device.nextPageNs', value: ns(nextPageNs), mark: 'assumed', source: why.nextPageNs },
  ];
  const replaced = new Set(values.map(({ field }) => field));
  const isKept = (sentence: string): boolean => !replaced.has(sentence.slice(0, sentence.indexOf(':')));
  return {
    ...machine,
    cost,
    origins: [...(machine.origins ?? []).filter(({ field }) => !replaced.has(field)), ...values],
    assumed: [
      ...machine.assumed.filter(isKept),
      ...values.map(({ field, value, mark, source }) => `${field}: ${value} (${mark}: ${source}).`),
    ],
  };
}

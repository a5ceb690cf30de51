import { nearestName } from '../../../errors.js';
import type { Kind } from '../kind.js';
import { autonumaCostKind } from './autonuma-cost.js';
import { faultRateKind, majorFaultKind, minorFaultKind } from './fault-cost.js';
import { flushIpisKind } from './flush-ipis.js';
import { idleLatencyKind, latencyRatioKind } from './idle-latency.js';
import { interleavedBandwidthKind, threadBandwidthKind } from './interleaved-bandwidth.js';
import { interleavePagesKind } from './interleave-pages.js';
import { loadedLatencyKind } from './loaded-latency.js';
import { copyShareKind, migrationThroughputKind, migrationTimeKind } from './migration-time.js';
import { placementTimeKind } from './placement-time.js';
import { promotionsKind } from './promotions.js';
import { shootdownKind } from './shootdown.js';
import { systemTimeKind } from './system-time.js';

/** Every kind; docs/figures.md has the same list for readers. */
export const KINDS: readonly Kind[] = [
  interleavePagesKind,
  interleavedBandwidthKind,
  threadBandwidthKind,
  loadedLatencyKind,
  idleLatencyKind,
  latencyRatioKind,
  placementTimeKind,
  migrationTimeKind,
  migrationThroughputKind,
  copyShareKind,
  flushIpisKind,
  shootdownKind,
  minorFaultKind,
  majorFaultKind,
  faultRateKind,
  systemTimeKind,
  autonumaCostKind,
  promotionsKind,
];

export const kindNamed = (name: string): Kind | undefined => KINDS.find((kind) => kind.name === name);

export const nearestKind = (name: string): string | undefined =>
  nearestName(
    name,
    KINDS.map((kind) => kind.name),
  );

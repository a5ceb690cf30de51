import { onRange, type Operation, type RangeCall } from './operation.js';

const toDevice: RangeCall = (state, process, task, [at, pages]) => {
  const moved = state.driver.toDevice(task, process.base + at, pages);
  state.coverage.event('page moved to the device', moved);
  return true;
};

const toRam: RangeCall = (state, process, task, [at, pages]) => {
  const moved = state.driver.toRam(task, process.base + at, pages);
  state.coverage.event('page moved back by its driver', moved);
  return moved > 0;
};

const deviceWrites: RangeCall = (state, process, task, [at, pages]) => {
  let written = 0;
  for (let i = at; i < at + pages; i++) if (state.writeByDevice(process, task, i)) written++;
  return written > 0;
};

/** A device whose driver moves pages of processes to it and back (migrateVma). */
export const DEVICE_OPERATIONS: readonly Operation[] = [
  onRange('move a range to the device', 14, toDevice),
  onRange('move a range back', 16, toRam),
  onRange('the device writes', 40, deviceWrites),
  {
    name: 'the driver goes',
    weight: 1,
    run(state, [a, b]) {
      const process = state.processAt(a);
      if (process === null) return false;
      const task = state.taskAt(process, b);
      state.log.task = task;
      state.log.inNobodysName(() => state.driver.unload(task)); // the pages are anybody's
      return true;
    },
  },
];

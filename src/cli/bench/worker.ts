import { parentPort, workerData } from 'node:worker_threads';
import { ACCOUNT_FAULT, ACCOUNT_MIGRATION, ACCOUNT_REFAULT } from '../../cost/index.js';
import { loadPolicy, tracedBy } from '../../engine/index.js';
import { MmError } from '../../errors.js';
import { benchPolicy, prepareKind } from '../../prove/index.js';
import type { CellAnswer, CellRequest, CellResult } from './cell.js';
import { clockCost, nowNs, percentilesOf } from './percentiles.js';
import { StepTimer } from './step-timer.js';

/** Faults that are timed together, and how often. */
const TOGETHER = 2048;
const TIMES = 64;
/** What belongs to a fault and not to the access that it serves. */
const ACCOUNTS = [ACCOUNT_FAULT, ACCOUNT_MIGRATION, ACCOUNT_REFAULT];

try {
  parentPort?.postMessage(await measure(workerData as CellRequest));
} catch (error) {
  if (!(error instanceof MmError)) throw error;
  parentPort?.postMessage(refusal(error));
}

async function measure(request: CellRequest): Promise<CellAnswer> {
  const { spec, kind, pages, order, threads, faults: count, withSteps, cwd } = request;
  const policy = benchPolicy(spec, await loadPolicy(spec.name, cwd));
  const timer = withSteps ? new StepTimer(count) : null;
  const { bed, faults } = await prepareKind(kind, {
    ...{ pages, policy, order, threads },
    ...(timer !== null && { rebind: tracedBy(timer) }),
  });
  const { meter } = bed.machine;
  const charged = () => ACCOUNTS.reduce((sum, account) => sum + meter.spent(account), 0);
  const together = new Float64Array(TIMES);
  let modelNs = 0;
  for (let i = -TIMES / 2; i < TIMES; i++) {
    faults.prepare(TOGETHER);
    const modelBefore = charged();
    const before = nowNs();
    faults.run(TOGETHER);
    if (i < 0) continue; // to warm up
    together[i] = (nowNs() - before) / TOGETHER;
    modelNs += charged() - modelBefore;
  }
  const single = new Float64Array(count);
  const clockNs = clockCost();
  for (let i = 0; i < count; i++) {
    faults.prepare(1);
    if (timer !== null) timer.isOn = true;
    const before = nowNs();
    faults.run(1);
    single[i] = nowNs() - before;
    if (timer !== null) timer.isOn = false;
  }
  faults.verify();
  const result: CellResult = {
    ...percentilesOf(single, clockNs),
    ...{ ns: percentilesOf(together, 0).p50, modelNs: modelNs / (TIMES * TOGETHER), clockNs },
    steps: timer?.times(clockNs) ?? [],
  };
  return { kind: 'measured', result };
}

function refusal({ code, message }: MmError): CellAnswer {
  return code === 'BAD_POLICY' ? { kind: 'left-out', why: message } : { kind: 'mistake', code, message };
}

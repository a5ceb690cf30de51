import { rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { CASE_NAMES, POLICY_NAMES } from './cases.js';
import type { CaseRequest, CaseResult } from './worker.js';

/**
 * npm run bench -- [--json OUT] [--smoke] [--pages N] [--only TEXT]
 *
 * Measures the cases of cases.ts, each in a worker thread of its own, one after the other, and prints a table. A case
 * is named after what it does; with another policy than `default` the policy follows a colon.
 */
const USAGE = 'npm run bench -- [--json OUT] [--smoke] [--pages N] [--only TEXT]';
const values = readOptions();

const timeMs = values.smoke ? 60 : 1500;
const pages = values.smoke ? 16384 : Number(values.pages);
const requests: CaseRequest[] = CASE_NAMES.flatMap((name) =>
  POLICY_NAMES.map((policy) => ({ name, policy, pages, timeMs })),
).filter((request) => labelOf(request).includes(values.only));

const results: CaseResult[] = [];
for (const request of requests) results.push(await measure(request));
print(results);
if (values.json !== undefined) await writeJson(values.json, results);

function readOptions() {
  try {
    const { values: given } = parseArgs({
      options: {
        json: { type: 'string' },
        smoke: { type: 'boolean', default: false },
        pages: { type: 'string', default: '262144' },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    });
    if (!given.help) return given;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)} Usage: ${USAGE}`);
    process.exit(2);
  }
}

function labelOf({ name, policy }: Pick<CaseRequest, 'name' | 'policy'>): string {
  return policy === 'default' ? name : `${name}:${policy}`;
}

function measure(request: CaseRequest): Promise<CaseResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: request });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function print(rows: readonly CaseResult[]): void {
  const table = new Table({
    head: ['case', 'ns', '25 %', '75 %', 'samples'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const row of rows) {
    table.push([labelOf(row), row.ns.toFixed(1), row.p25.toFixed(1), row.p75.toFixed(1), String(row.samples)]);
  }
  console.log(table.toString());
  console.log(`ns per access or fault, median; ${String(pages)} pages; Node ${process.version}`);
}

async function writeJson(path: string, rows: readonly CaseResult[]): Promise<void> {
  const cases = rows.map((row) => ({ ...row, name: labelOf(row), case: row.name }));
  const text = JSON.stringify({ node: process.version, pages, cases }, null, 2) + '\n';
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

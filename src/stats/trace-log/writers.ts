import type { TraceEvent, TraceView, TraceWriter } from './event.js';
import { detailWords, namesFrame, OUTCOME_WORDS, wordsOf } from './step-words.js';

/** Where text goes; called often, with little. */
export type Sink = (text: string) => void;

/** The run that a log tells of: its number within the file, from 0, and its words. */
export interface TracedRun {
  readonly index: number;
  readonly name: string;
}

/** What stands before, between and after the runs of one file. */
export interface LogFormat {
  readonly head: string;
  readonly tail: string;
  writer(sink: Sink, run: TracedRun): TraceWriter;
}

const hex = (vpn: number): string => (vpn < 0 ? '-' : `0x${vpn.toString(16)}`);

/** What came of a fault or a call. */
function outcomeOf({ name, detail }: TraceEvent): string {
  return name === 'fault' ? (OUTCOME_WORDS[detail] ?? String(detail)) : String(detail);
}

/** Annotated text, one line per step: the "mmtrace" that the mails speak of. */
function textWriter(sink: Sink, run: TracedRun): TraceWriter {
  return {
    begin() {
      sink(`# run ${run.name}\n`);
      sink('#      time ns  cpu task       page  frame@node  step          what\n');
    },
    event(e) {
      const at = `${e.ns.toFixed(0).padStart(14)} ${String(e.cpu).padStart(4)} ${String(e.task).padStart(4)} ${hex(e.vpn).padStart(10)}`;
      if (e.kind !== 'step') {
        const mark = e.kind === 'enter' ? 'begins' : `ends: ${outcomeOf(e)}`;
        const kind = e.name === 'fault' && e.kind === 'enter' ? (e.detail === 1 ? ' (write)' : ' (read)') : '';
        sink(`${at}              ${e.name}${kind} ${mark}\n`);
        return;
      }
      const frame = e.pfn === 0 ? '' : `${String(e.pfn)}@${String(e.node)}`;
      const detail = detailWords(e.name, e.detail, e.detailNode);
      const state = e.pfn === 0 ? '' : `  [${e.flags}] count ${String(e.count)} map ${String(e.mapcount)}`;
      const what = `${wordsOf(e.name)}${detail === '' ? '' : ` – ${detail}`}`;
      sink(`${at} ${frame.padStart(11)}  ${e.name.padEnd(13)} ${what}${state}\n`);
    },
    end: () => undefined,
  };
}

/** One JSON object per line, every field of the event. */
function linesWriter(sink: Sink, run: TracedRun): TraceWriter {
  return {
    begin() {
      sink(`${JSON.stringify({ run: run.index, name: run.name })}\n`);
    },
    event(e) {
      const { kind, name, ns, cpu, task, vpn, pfn, node, flags, count, mapcount, detail } = e;
      sink(
        `${JSON.stringify({ run: run.index, ns, cpu, task, kind, name, vpn, pfn, node, flags, count, mapcount, detail })}\n`,
      );
    },
    end: () => undefined,
  };
}

/** Steps after which a page is on another node than before, or for the first time on one. */
const ARRIVALS = new Set(['A4', 'F6', 'H5', 'M9', 'D-copy', 'P-C2']);

/**
 * Trace events as Perfetto and chrome://tracing read them. Each run has two processes, its CPUs and its nodes, with one
 * track each. On a CPU's track faults and calls are slices, and within them each step lasts until the next; on a node's
 * track stand the pages that arrive. Times are in µs.
 */
function perfettoWriter(sink: Sink, run: TracedRun): TraceWriter {
  const [cpus, nodes] = [2 * run.index + 1, 2 * run.index + 2];
  /** By CPU: the last time told, what is open, and the step that lasts until something else begins. */
  const last: number[] = [];
  const open: string[][] = [];
  const pending: (string | null)[] = [];
  const put = (event: object): void => {
    sink(`,\n${JSON.stringify(event)}`);
  };
  const name = (pid: number, tid: number | null, what: string, label: string): void => {
    put({ ph: 'M', pid, ...(tid === null ? {} : { tid }), name: what, args: { name: label } });
  };
  const endStep = (cpu: number, ts: number): void => {
    if (pending[cpu] !== null) put({ ph: 'E', pid: cpus, tid: cpu, ts });
    pending[cpu] = null;
  };
  return {
    begin({ cpuCount, nodeCount }: TraceView) {
      name(cpus, null, 'process_name', `${run.name}: CPUs`);
      name(nodes, null, 'process_name', `${run.name}: nodes`);
      for (let cpu = 0; cpu < cpuCount; cpu++) {
        name(cpus, cpu, 'thread_name', `CPU ${String(cpu)}`);
        [last[cpu], open[cpu], pending[cpu]] = [0, [], null];
      }
      for (let node = 0; node < nodeCount; node++) name(nodes, node, 'thread_name', `node ${String(node)}`);
    },
    event(e) {
      const { cpu } = e;
      const ts = Math.max(last[cpu], e.ns / 1000); // background reclaim has a clock of its own
      last[cpu] = ts;
      endStep(cpu, ts);
      const page = hex(e.vpn);
      if (e.kind === 'enter') {
        open[cpu].push(e.name);
        put({ ph: 'B', pid: cpus, tid: cpu, ts, name: e.name, args: { task: e.task, page } });
      } else if (e.kind === 'leave') {
        if (open[cpu].pop() !== undefined) put({ ph: 'E', pid: cpus, tid: cpu, ts, args: { outcome: outcomeOf(e) } });
      } else {
        pending[cpu] = e.name;
        const detail = detailWords(e.name, e.detail, e.detailNode);
        const args = { what: wordsOf(e.name), detail, page, frame: e.pfn, node: e.node, flags: e.flags };
        put({ ph: 'B', pid: cpus, tid: cpu, ts, name: e.name, args });
        if (!ARRIVALS.has(e.name)) return;
        const node = namesFrame(e.name) && /^[DP]-/.test(e.name) ? e.detailNode : e.node;
        put({ ph: 'i', s: 't', pid: nodes, tid: node, ts, name: `page ${page}`, args: { by: e.name, cpu } });
      }
    },
    end() {
      last.forEach((ts, cpu) => {
        endStep(cpu, ts);
        for (; open[cpu].length > 0; open[cpu].pop()) put({ ph: 'E', pid: cpus, tid: cpu, ts });
      });
    },
  };
}

/** By the ending of a file name. */
export const LOG_FORMATS: Readonly<Record<string, LogFormat>> = {
  txt: { head: '', tail: '', writer: textWriter },
  log: { head: '', tail: '', writer: textWriter },
  jsonl: { head: '', tail: '', writer: linesWriter },
  json: {
    head: '{"displayTimeUnit":"ns","traceEvents":[{"ph":"M","pid":0,"name":"process_name","args":{"name":"mof"}}',
    tail: '\n]}\n',
    writer: perfettoWriter,
  },
};

import type { Command } from 'commander';
import { addGenerate } from './generate.js';
import type { Shell } from '../shell.js';
import { formatCount, formatShare, stableJson, tableText } from '../../report/index.js';
import { openTrace } from '../../trace/readers/index.js';
import { type Sidecar, traceInfo, type TraceInfo } from '../../trace/index.js';

/** `mof trace info TRACE`: facts about a trace that need no machine; `mof trace generate KIND`. */
export function addTrace(program: Command, shell: Shell): void {
  const trace = program
    .command('trace')
    .description('look at a trace, or make one')
    .usage('info TRACE | generate KIND');
  trace
    .command('info')
    .description('what a trace holds: threads, pages, who shares them, what placements would come to')
    .argument('<TRACE>', 'a file, its name without .parquet, or gen:KIND… (mof trace generate)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  mof trace info app.parquet\n  mof trace info app.parquet --json')
    .action(async (path: string, { json }: { json?: true }) => {
      const source = await openTrace(path);
      try {
        const info = await traceInfo(source);
        shell.out(json ? stableJson(info) : infoText(info, source.sidecar, shell));
      } finally {
        source.close();
      }
    });
  addGenerate(trace, shell);
}

function infoText(info: TraceInfo, sidecar: Sidecar, { paint }: Shell): string {
  const count = formatCount;
  const facts: readonly (readonly [string, string])[] = [
    ['rows', count(info.rows)],
    ['quanta', count(info.quanta)],
    ['accesses', count(info.accesses)],
    ['misses', count(info.misses)],
    ['reads / writes / fetches', `${count(info.reads)} / ${count(info.writes)} / ${count(info.fetches)}`],
    ['threads / processes', `${count(info.threads)} / ${count(info.processes)}`],
    ['parallel from row', info.parallel_from_row === null ? 'never' : count(info.parallel_from_row)],
    ['misses in the parallel part', count(info.misses_parallel_part)],
    ['pages touched', count(info.pages_touched)],
    ...Object.entries(info.pages_by_kind).map(([kind, pages]) => [`  ${kind}`, count(pages)] as const),
    ['pages written by several threads', count(info.pages_written_by_several)],
    ['pages shared, written by one at most', count(info.pages_shared_written_by_one_at_most)],
    ['pages not first touched by their main user', count(info.pages_first_toucher_not_main_user)],
    ['  their share of all misses', formatShare(info.miss_share_of_those_pages)],
  ];
  const sharers = Object.entries(info.pages_by_sharers).map(([threads, pages]) => [
    threads,
    count(pages),
    formatShare(info.miss_share_by_sharers[threads] ?? 0),
  ]);
  const threads = info.per_thread.map((thread) =>
    [thread.tid, thread.rows, thread.accesses, thread.misses, thread.pages].map(count),
  );
  const sections = [
    tableText({ title: `${sidecar.name}: ${sidecar.title}`, head: ['', ''], rows: facts }, paint),
    tableText(
      { title: 'Pages by number of threads', head: ['threads', 'pages', 'of misses'], rows: sharers, wordColumns: [] },
      paint,
    ),
    tableText(
      { title: 'Threads', head: ['thread', 'rows', 'accesses', 'misses', 'pages'], rows: threads, wordColumns: [] },
      paint,
    ),
    placements('Remote misses under static placements, whole trace', info.remote_miss_share, paint),
    placements('Remote misses under static placements, parallel part', info.remote_miss_share_parallel_part, paint),
  ];
  return `${sections.join('\n\n')}\n`;
}

function placements(title: string, shares: TraceInfo['remote_miss_share'], paint: Shell['paint']): string {
  const rows = Object.entries(shares).map(([nodes, share]) => [
    `${nodes} nodes`,
    ...[share.first_touch, share.interleave, share.all_on_node_0, share.best_static].map(formatShare),
  ]);
  return tableText({ title, head: ['', 'first touch', 'interleaved', 'all on node 0', 'best static'], rows }, paint);
}

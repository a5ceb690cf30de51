/**
 * One RUN word of the command line, taken apart (grammar: README, "A run is a policy and what happens to it").
 * Plain data, so that it can cross to a worker thread. Parsed by parse-run.ts, carried out by engine/replay.ts.
 */
export interface RunSpec {
  /** The word as given. */
  readonly text: string;
  readonly policy: PolicySpec;
  readonly actions: readonly ActionSpec[];
  readonly switches: Switches;
}

export interface PolicySpec {
  /** Name of a policy, or the path of a file (`./mine.ts`), or an npm package. */
  readonly name: string;
  /** NODES as given (`0-3`, `all`, `!1`, `+0`), or null. */
  readonly nodes: string | null;
  readonly flags: readonly PolicyFlag[];
  /** `:OPTION=VALUE`, not yet checked against the policy's own declaration. */
  readonly options: Readonly<Record<string, string>>;
}
export type PolicyFlag = 'static' | 'relative' | 'numa_balancing';

export type Moment =
  | { readonly kind: 'start' }
  | { readonly kind: 'threads' }
  | { readonly kind: 'row'; readonly row: number }
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'event'; readonly text: string };

export type ActionSpec = { readonly text: string; readonly moment: Moment } & (
  | { readonly kind: 'lazy'; readonly region: string | null }
  | { readonly kind: 'move'; readonly region: string | null }
  /** Nodes as given. */
  | { readonly kind: 'migrate'; readonly from: string; readonly to: string }
  | { readonly kind: 'swapout' }
  | { readonly kind: 'offline'; readonly node: string }
  | { readonly kind: 'cpuset'; readonly nodes: string; readonly migrates: boolean }
  /** 'all': every thread of each process that runs then. */
  | { readonly kind: 'task'; readonly thread: number | 'all'; readonly node: string }
);

export interface Switches {
  readonly hookSwap: boolean;
  readonly hookFile: boolean;
  readonly hookShmem: boolean;
  /** Automatic migration; null: off. */
  readonly autoMigrate: {
    readonly lazy: boolean;
    readonly intervalS: number;
    readonly maxMapcount: number;
  } | null;
  /** Who moves pages over time, `:OPTION=VALUE` not checked yet; null: nobody. */
  readonly balancing: { readonly name: string; readonly options: Readonly<Record<string, string>> } | null;
  /** REGION → policy, in the order given. */
  readonly vmas: readonly { readonly region: string; readonly policy: PolicySpec }[];
  readonly cpus: 'blocks' | 'spread' | 'pack' | readonly number[];
  readonly profile: string;
  readonly swap: boolean;
  readonly thp: 'never' | 'madvise' | 'always';
  readonly readahead: boolean;
  readonly faultAround: boolean;
  readonly pageCluster: number;
}

export const DEFAULT_SWITCHES: Switches = {
  hookSwap: false,
  hookFile: false,
  hookShmem: false,
  autoMigrate: null,
  balancing: null,
  vmas: [],
  cpus: 'blocks',
  profile: 'mof',
  swap: true,
  thp: 'never',
  readahead: false,
  faultAround: false,
  pageCluster: 0,
};

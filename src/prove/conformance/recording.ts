/** The shape of a recording: system calls executed on a real kernel, with what it answered. Plain JSON. */

export interface Recording {
  readonly format: string;
  readonly kernel: { readonly version: string; readonly release?: string };
  readonly set: string;
  readonly cases: readonly RecordedCase[];
}

export interface RecordedCase {
  readonly name: string;
  readonly category: string;
  readonly cgroup?: 1 | 2;
  readonly eventual?: boolean;
  readonly tags?: readonly string[];
  readonly machine: RecordedMachine;
  readonly steps: readonly Step[];
}

export interface RecordedMachine {
  readonly name: string;
  readonly nodes: readonly { readonly id: number; readonly cpus: readonly number[]; readonly pages: number }[];
  readonly distance: readonly (readonly number[])[];
  readonly possibleNodes: number;
}

/** One system call with its arguments; which ones depends on `op`. */
export type Step = Readonly<Record<string, unknown>> & {
  readonly op: string;
  readonly result: StepResult;
  readonly pages?: Readonly<Record<string, readonly number[]>>;
  readonly counters?: Readonly<Record<string, number>>;
  readonly nodeCounters?: Readonly<Record<string, readonly number[]>>;
  /** Where runs differed: the states that were seen, for each page of a region. */
  readonly pagesSeen?: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** Instead of `pages`, on a machine with huge pages: runs of equal states, and what each region shows of huge pages. */
  readonly pagesRuns?: Readonly<Record<string, readonly (readonly [state: number, count: number])[]>>;
  readonly hugePages?: Readonly<Record<string, number>>;
  readonly hugeParts?: Readonly<Record<string, number>>;
  readonly hugeZero?: Readonly<Record<string, number>>;
  readonly unstable?: readonly string[];
};

/** What a call answered. In a prediction only what the model knows is filled in. */
export interface StepResult {
  ret: number;
  errno: string | null;
  signal?: string;
  killed?: boolean;
  minflt?: number;
  majflt?: number;
  inode?: number;
  value?: number | null;
  nodes?: readonly number[] | null;
  nodeWords?: number | null;
  status?: readonly (number | null)[];
  maps?: readonly Readonly<Record<string, number | string>>[];
}

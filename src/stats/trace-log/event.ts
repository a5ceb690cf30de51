/** One line of a trace log. The log refills one object; whoever keeps it copies it. */
export interface TraceEvent {
  /** `enter` and `leave` bracket a fault or a call on one CPU; `step` is one named step. */
  kind: 'step' | 'enter' | 'leave';
  name: string;
  /** Virtual time. */
  ns: number;
  cpu: number;
  /** Id of the task, -1 for the kernel's own work. */
  task: number;
  /** Page number of the virtual address, -1 if unknown. */
  vpn: number;
  /** Frame, 0 if none, its node, and what its record says. */
  pfn: number;
  node: number;
  flags: string;
  count: number;
  mapcount: number;
  /** As the step defines; -1 if nothing. */
  detail: number;
  /** Node of the frame that `detail` names, -1 if it names none. */
  detailNode: number;
}

/** What a log has to know of the machine that it watches. */
export interface TraceView {
  readonly cpuCount: number;
  readonly nodeCount: number;
  nowNs(): number;
  nodeOf(pfn: number): number;
  /** Names of the flags of a frame, with a space between. */
  flagsOf(pfn: number): string;
  countOf(pfn: number): number;
  mapcountOf(pfn: number): number;
  /** Page number of an address that maps the frame, or is about to; -1 if there is none. */
  vpnOf(pfn: number): number;
}

/** A form in which a log is written. Each gets all events of one run in order. */
export interface TraceWriter {
  begin(view: TraceView): void;
  event(event: TraceEvent): void;
  end(): void;
}

import type { Tracer } from '../tracer.js';
import type { TraceEvent, TraceView, TraceWriter } from './event.js';
import { namesFrame } from './step-words.js';

/** A tracer that hands each step on as an event, with the time and the state of the page at that moment. */
export class TraceLog implements Tracer {
  private view: TraceView | null = null;
  private task = -1;
  private cpu = 0;
  private vpn = -1;
  private readonly event: TraceEvent = {
    ...{ kind: 'step', name: '', ns: 0, cpu: 0, task: -1, vpn: -1, pfn: 0, node: -1, flags: '', count: 0, mapcount: 0 },
    ...{ detail: -1, detailNode: -1 },
  };

  constructor(private readonly writer: TraceWriter) {}

  /** The machine is made: from here on its steps are written. */
  watch(view: TraceView): void {
    this.view = view;
    this.writer.begin(view);
  }

  who(task: number, cpu: number, vpn: number): void {
    this.task = task;
    this.cpu = cpu;
    this.vpn = vpn;
  }

  enter(what: string, detail: number): void {
    this.write('enter', what, 0, detail);
  }

  leave(what: string, outcome: number): void {
    this.write('leave', what, 0, outcome);
  }

  step(name: string, page: number, detail: number): void {
    this.write('step', name, page, detail);
  }

  /** An address of the page, or of the one that takes its place. */
  private addressOf(view: TraceView, name: string, pfn: number, detail: number): number {
    const own = pfn === 0 ? -1 : view.vpnOf(pfn);
    return own < 0 && detail > 0 && namesFrame(name) ? view.vpnOf(detail) : own;
  }

  private write(kind: TraceEvent['kind'], name: string, pfn: number, detail: number): void {
    const { view, event } = this;
    if (view === null) return;
    event.kind = kind;
    event.name = name;
    event.ns = view.nowNs();
    const isReclaim = name.startsWith('RC-'); // of a page that has nothing to do with the address in hand
    event.cpu = this.cpu;
    event.task = isReclaim ? -1 : this.task;
    event.vpn = this.vpn >= 0 && !isReclaim ? this.vpn : this.addressOf(view, name, pfn, detail);
    event.pfn = pfn;
    event.node = pfn === 0 ? -1 : view.nodeOf(pfn);
    event.flags = pfn === 0 ? '' : view.flagsOf(pfn);
    event.count = pfn === 0 ? 0 : view.countOf(pfn);
    event.mapcount = pfn === 0 ? 0 : view.mapcountOf(pfn);
    event.detail = detail;
    event.detailNode = detail > 0 && kind === 'step' && namesFrame(name) ? view.nodeOf(detail) : -1;
    this.writer.event(event);
  }
}

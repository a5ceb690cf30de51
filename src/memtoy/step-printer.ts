import { traceView } from '../engine/index.js';
import type { Tracer } from '../stats/index.js';
import { detailWords, namesFrame, wordsOf } from '../stats/trace-log/index.js';
import type { World } from './world.js';

/** Prints the named steps while `trace on` holds: name, page, frame, and the step in words; and tells who else watches. */
export class StepPrinter implements Tracer {
  /** Set once the machine is made; nothing is printed before. */
  world: World | null = null;
  /** Page number of the address in hand, -1 if none. */
  private vpn = -1;

  constructor(private readonly log: Tracer | null) {}

  who(task: number, cpu: number, vpn: number): void {
    this.vpn = vpn;
    this.log?.who(task, cpu, vpn);
  }

  enter(what: string, detail: number): void {
    this.log?.enter(what, detail);
    if (this.world?.isTracing === true) this.world.host.out(`  ${what}\n`);
  }

  leave(what: string, outcome: number): void {
    this.log?.leave(what, outcome);
  }

  step(step: string, page: number, detail: number): void {
    this.log?.step(step, page, detail);
    if (this.world?.isTracing !== true) return;
    const { machine, host } = this.world;
    const { nodeOf, vpnOf } = traceView(machine);
    const own = this.vpn < 0 && page > 0 ? vpnOf(page) : this.vpn;
    const address = own < 0 ? '-' : `0x${own.toString(16)}`;
    const frame = page === 0 ? '' : `${String(page)}@${String(nodeOf(page))}`;
    const more = detailWords(step, detail, detail > 0 && namesFrame(step) ? nodeOf(detail) : -1);
    const what = `${wordsOf(step)}${more === '' ? '' : ` – ${more}`}`;
    host.out(`  step ${step.padEnd(12)} page ${address.padStart(11)}  frame ${frame.padStart(10)}  ${what}\n`);
  }
}

import type { Tracer } from '../stats/index.js';
import type { World } from './world.js';

/** Prints the named steps while `trace on` holds: name, frame, and what the step says besides; and tells who else watches. */
export class StepPrinter implements Tracer {
  /** Set once the machine is made; nothing is printed before. */
  world: World | null = null;

  constructor(private readonly log: Tracer | null) {}

  who(task: number, cpu: number, vpn: number): void {
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
    const more = detail < 0 ? '' : `  ${String(detail)}`;
    this.world.host.out(`  step ${step.padEnd(12)} page ${String(page).padStart(8)}${more}\n`);
  }
}

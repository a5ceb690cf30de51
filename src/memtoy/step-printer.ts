import type { Tracer } from '../stats/index.js';
import type { World } from './world.js';

/** Prints the named steps while `trace on` holds: name, frame, and what the step says besides. */
export class StepPrinter implements Tracer {
  /** Set once the machine is made; nothing happens before. */
  world: World | null = null;

  who(): void {
    // the task is the command's
  }

  enter(what: string): void {
    if (this.world?.isTracing === true) this.world.host.out(`  ${what}\n`);
  }

  leave(): void {
    // its steps were told
  }

  step(step: string, page: number, detail: number): void {
    if (this.world?.isTracing !== true) return;
    const more = detail < 0 ? '' : `  ${String(detail)}`;
    this.world.host.out(`  step ${step.padEnd(6)} page ${String(page).padStart(8)}${more}\n`);
  }
}

/**
 * Where the named steps of faults, migrations and reclaim go when somebody watches. Bound by the TRACER token; without one
 * the hot path sees `null` and pays one test.
 *
 * Steps of several actors may be interleaved by a driver, so whoever takes a step first says who it is: `who` holds until
 * the next one. What has steps inside it (a fault, a system call) is entered and left; these nest on each CPU.
 */
export interface Tracer {
  /**
   * Who acts from now on.
   *
   * @param task id of the task, -1 for the kernel's own work
   * @param cpu where it runs
   * @param vpn page number of the virtual address concerned, -1 if none
   */
  who(task: number, cpu: number, vpn: number): void;
  /** A fault or call begins. @param detail as `what` defines: 1 for a write fault, pages of a call; -1 if nothing */
  enter(what: string, detail: number): void;
  /** It ends. @param outcome the fault's outcome, or what the call returns */
  leave(what: string, outcome: number): void;
  /**
   * One step is taken.
   *
   * @param step its name in the rules: `S5`, `M5b`, `C6` … (step-words.ts has them all)
   * @param page frame concerned, 0 if none
   * @param detail target node, refused condition or outcome, as the step defines; -1 if nothing
   */
  step(step: string, page: number, detail: number): void;
}

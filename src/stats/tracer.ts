/**
 * Where the named steps of a fault or a migration go when somebody watches. Bound by the TRACER token; without one the
 * hot path sees `null` and pays one test.
 */
export interface Tracer {
  /**
   * One step was taken.
   *
   * @param step its name in the rules: `S5`, `M5a`, `C6` …
   * @param page frame concerned, 0 if none
   * @param detail target node, refused condition or outcome, as the step defines; -1 if nothing
   */
  step(step: string, page: number, detail: number): void;
}

import { ModelBug } from '../../errors.js';

/** Operations of one kind, ready to be timed by whoever has a clock. `prepare` is not timed, `run` is. */
export interface Case {
  /** Makes sure that `count` more operations can follow. */
  prepare(count: number): void;
  /** Makes them. What one operation is, the name of the case says: an access, a fault, a page that is moved. */
  run(count: number): void;
  /** @throws ModelBug if what was run was not what the name of the case says */
  verify(): void;
}

/** @throws ModelBug `otherwise` unless `holds` */
export function mustHold(holds: boolean, otherwise: string): void {
  if (!holds) throw new ModelBug(`this case does not measure what it says: ${otherwise}`);
}

import type { Task } from '../mm/index.js';
import type { Tracer } from '../stats/index.js';

/** Who acts, and what came of it as a number. */
interface Telling<Args extends unknown[], Result> {
  /** undefined: the kernel itself. */
  readonly by: (...args: Args) => Task | undefined;
  readonly outcome: (result: Result) => number;
}

/** A call that moves pages, told as something with steps inside. Without a tracer it stays the function that it is. */
export function toldBy<Args extends unknown[], Result>(
  tracer: Tracer | null,
  name: string,
  call: (...args: Args) => Result,
  { by, outcome }: Telling<Args, Result>,
): (...args: Args) => Result {
  if (tracer === null) return call;
  return (...args) => {
    const task = by(...args);
    const [id, cpu] = [task?.id ?? -1, task?.cpu ?? 0];
    tracer.who(id, cpu, -1);
    tracer.enter(name, -1);
    const result = call(...args);
    tracer.who(id, cpu, -1);
    tracer.leave(name, outcome(result));
    return result;
  };
}

/** The same for a system call: its first argument is who calls, and it returns a number. */
export function told<Args extends [Task, ...unknown[]]>(
  tracer: Tracer | null,
  name: string,
  call: (...args: Args) => number,
): (...args: Args) => number {
  return toldBy(tracer, name, call, { by: (...[task]) => task, outcome: (result) => result });
}

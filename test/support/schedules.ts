/** One of several actors whose steps are interleaved. */
export interface Actor {
  /** Takes the next step. `waits`: it could not, nothing was changed, and another actor has to go first. */
  step(): 'went' | 'waits' | 'ended';
}

/** Actors at the start of a schedule, and what must hold at its end. */
export interface Play {
  readonly actors: readonly Actor[];
  /** @param schedule the letters of the actors in the order in which they took their steps: `AABAB…` */
  end(schedule: string): void;
}

/**
 * Plays every schedule of the actors, depth first, each from a fresh start. Two schedules differ if their letters do; a
 * step that would wait is no step.
 *
 * @returns all schedules
 * @throws what a step or `end` throws, with the schedule before it; or that all actors wait
 */
export function everySchedule(begin: () => Play): string[] {
  const schedules: string[] = [];
  const actors = begin().actors.length;
  let least: number[] | null = []; // at each step the first actor that may take it: those before it were tried
  while (least !== null) {
    const path: number[] = [];
    const isWhole = playFrom(begin(), least, path);
    if (isWhole) schedules.push(lettersOf(path));
    least = nextAfter(isWhole ? path : least.slice(0, -1), actors);
  }
  return schedules;
}

/** @returns false if nobody from `least` on could take the step at its end: this branch was played already */
function playFrom(play: Play, least: readonly number[], path: number[]): boolean {
  const alive = play.actors.map(() => true);
  try {
    while (alive.includes(true)) {
      const at = path.length;
      const chosen = firstThatGoes(play, alive, least[at] ?? 0);
      if (chosen >= 0) path.push(chosen);
      else if (at === least.length - 1) return false;
      else throw new Error('all actors wait');
    }
    play.end(lettersOf(path));
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)} [after ${lettersOf(path)}]`, {
      cause: error,
    });
  }
  return true;
}

function firstThatGoes(play: Play, alive: boolean[], from: number): number {
  for (let actor = from; actor < alive.length; actor++) {
    if (!alive[actor]) continue;
    const result = play.actors[actor].step();
    if (result === 'waits') continue;
    alive[actor] = result === 'went';
    return actor;
  }
  return -1;
}

/** The same path up to its last step that could be another actor's, and there the next one. */
function nextAfter(path: readonly number[], actors: number): number[] | null {
  const shorter = [...path];
  while (shorter.length > 0) {
    const last = shorter.pop() ?? 0;
    if (last + 1 < actors) return [...shorter, last + 1];
  }
  return null;
}

const lettersOf = (path: readonly number[]): string => path.map((actor) => 'ABCDEF'[actor]).join('');

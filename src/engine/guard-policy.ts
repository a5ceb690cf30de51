import { MmError, placeInStack } from '../errors.js';
import {
  enter,
  expectedInstead,
  leave,
  questionText,
  type Asked,
  type Doing,
  type Fault,
  type PolicyDefinition,
  type PolicyInstance,
  type Question,
} from '../policy/index.js';

/** Whose policy is guarded, and who watches. */
export interface GuardOptions {
  /** As the run names it: the file or the package. */
  readonly file: string;
  /** Number among the policies of the run, for `asked`. */
  readonly which: number;
  /** Told of each question, so that one without an answer can be named; null: nobody watches. */
  readonly asked: Asked | null;
}

/**
 * Somebody else's policy, with each answer looked at: what throws, or names a node that is not there or not its own, ends the
 * run with a line that names file, policy, question and answer. Takes no memory while answering, and changes no answer.
 */
export function guardPolicy(definition: PolicyDefinition, { file, which, asked }: GuardOptions): PolicyDefinition {
  const { name, fallback } = definition;
  const whose = `policy ${file} ("${name}")`;
  const isKept = fallback !== 'any';

  function thrown(what: string, error: unknown): MmError {
    if (asked !== null) leave(asked);
    const text = error instanceof Error ? `${error.name}: ${error.message}${placeInStack(error.stack)}` : String(error);
    return new MmError('BAD_ANSWER', `${whose}: ${what} threw ${text}`);
  }

  /** Calls it; what it throws is said of `what()`. */
  function call<Result>(doing: Doing, fault: Fault | null, body: () => Result, what: () => string): Result {
    if (asked !== null) enter(asked, which, doing, fault);
    try {
      return body();
    } catch (error) {
      throw thrown(what(), error);
    } finally {
      if (asked !== null) leave(asked);
    }
  }

  return {
    ...definition,
    create(context) {
      const inner = call(
        'create',
        null,
        () => definition.create(context),
        () => 'create',
      ) as Partial<PolicyInstance>;
      for (const question of ['place', 'misplaced'] as const) {
        if (typeof (inner as Partial<PolicyInstance> | undefined)?.[question] === 'function') continue;
        throw new MmError(
          'BAD_ANSWER',
          `${whose}: create returned no function ${question}; expected place and misplaced`,
        );
      }
      const answering = inner as PolicyInstance;
      // Written out for each question: a closure per question would take memory per fault.
      const guarded = (question: Question) => (fault: Fault) => {
        if (asked !== null) enter(asked, which, question, fault);
        let answer;
        try {
          answer = answering[question](fault);
        } catch (error) {
          throw thrown(questionText(question, fault), error);
        }
        if (asked !== null) leave(asked);
        const expected = expectedInstead(question, answer, context, isKept);
        if (expected === null) return answer;
        throw new MmError(
          'BAD_ANSWER',
          `${whose}: ${questionText(question, fault)} was answered with ${String(answer)}; expected ${expected}`,
        );
      };
      const guardedInstance = { place: guarded('place'), misplaced: guarded('misplaced') };
      if (inner.migrated === undefined) return guardedInstance;
      return {
        ...guardedInstance,
        migrated(fault, to) {
          call(
            'migrated',
            fault,
            () => answering.migrated?.(fault, to),
            () => 'migrated',
          );
        },
      };
    },
  };
}

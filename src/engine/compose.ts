import 'reflect-metadata';
import { Container } from 'inversify';
import { LoadedLatency, type CostModel, type CostOptions } from '../cost/index.js';
import type { PolicyDefinition } from '../policy/index.js';
import type { Tracer } from '../stats/index.js';
import { makeMachine, type Machine } from './machine.js';
import type { MachineOptions } from './machine-options.js';
import { profileNamed, rulesOf, type RuleNames, type Rules } from './profiles/index.js';

/** The tokens an embedding program may rebind. Everything else of a machine follows from them. */
export const COST_MODEL = Symbol('CostModel');
export const PROFILE = Symbol('Rules of the kernel profile');
export const POLICY = Symbol('PolicyDefinition of the default policy');
export const TRACER = Symbol('Tracer or null');
const OPTIONS = Symbol('MachineOptions');
const MACHINE = Symbol('Machine');

export interface ComposeOptions extends MachineOptions {
  /** Name of the kernel profile. */
  readonly profile: string;
  /** Single rules changed by name (`--rule NAME=VARIANT`). */
  readonly rules?: Partial<RuleNames>;
  readonly cost?: Partial<CostOptions>;
  /** The system's default policy: policies/default.ts. */
  readonly defaultPolicy: PolicyDefinition;
}

/** What `rebind` may do: bind a token anew, to a value or to an injectable class. */
export type Rebind = (container: Container) => void;

/**
 * The composition root: binds the parts of a machine by token, lets `rebind` exchange any of them, resolves one
 * machine, and is gone before the first access.
 *
 * @example
 * compose(options, (container) => {
 *   container.unbind(COST_MODEL);
 *   container.bind(COST_MODEL).to(MyCosts).inSingletonScope(); // an \@injectable() class
 * });
 */
export function compose(options: ComposeOptions, rebind?: Rebind): Machine {
  const container = new Container();
  container.bind(OPTIONS).toConstantValue(options);
  container.bind(PROFILE).toDynamicValue(() => rulesOf({ ...profileNamed(options.profile).rules, ...options.rules }));
  container.bind(COST_MODEL).toDynamicValue(() => new LoadedLatency(options.machine.cost, options.cost));
  container.bind(POLICY).toConstantValue(options.defaultPolicy);
  container.bind(TRACER).toConstantValue(null);
  container
    .bind(MACHINE)
    .toResolvedValue(
      (
        machineOptions: MachineOptions,
        rules: Rules,
        cost: CostModel,
        policy: PolicyDefinition,
        tracer: Tracer | null,
      ) => makeMachine({ options: machineOptions, rules, cost, defaultPolicy: policy, tracer }),
      [OPTIONS, PROFILE, COST_MODEL, POLICY, TRACER],
    );
  rebind?.(container);
  return container.get<Machine>(MACHINE);
}

/** For `compose`: this tracer is told each step. */
export function tracedBy(tracer: Tracer): Rebind {
  return (container) => {
    container.unbind(TRACER);
    container.bind(TRACER).toConstantValue(tracer);
  };
}

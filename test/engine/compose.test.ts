import 'reflect-metadata';
import { inject, injectable } from 'inversify';
import { describe, expect, it } from 'vitest';
import {
  checkMachine,
  COST_MODEL,
  type Machine,
  POLICY,
  PROFILE,
  profileNamed,
  type Rebind,
  rulesOf,
  TRACER,
} from '../../src/engine/index.js';
import { FaultKind, LoadedLatency, type CostModel } from '../../src/cost/index.js';
import { MmError } from '../../src/errors.js';
import {
  asNodeId,
  NO_NODE,
  type Fault,
  type PolicyContext,
  type PolicyDefinition,
  type PolicyInstance,
} from '../../src/policy/index.js';
import type { Tracer } from '../../src/stats/index.js';
import type { NodeId } from '../../src/units.js';
import { moveTo, processWithPages } from '../support/arrange.js';
import {
  mapAnon,
  nodeAt,
  POLICIES,
  processOn,
  tinyDescription,
  tinyMachine,
  unmapLazily,
} from '../support/tiny-machine.js';

// What an embedding program may exchange: it binds a token anew, and the machine is made with what it bound.

const START = 1000;

/** Binds one token anew. */
const exchange = (token: symbol, bind: (container: Parameters<Rebind>[0]) => void): Rebind => {
  return (container) => {
    container.unbind(token);
    bind(container);
  };
};

/** A page of node 1, unmapped lazily and read by its thread from node 2. */
function migrateOne(machine: Machine): number {
  const { task } = processWithPages(machine, 1, START, 1);
  unmapLazily(machine, task);
  moveTo(machine, task, 2);
  machine.touch(task, START, false);
  return nodeAt(machine, task, START);
}

/** Everything on one node, whose number an embedding program binds beside it. */
const FAVOURITE = Symbol('the node that gets everything');

@injectable()
class OneNode implements PolicyDefinition {
  readonly name = 'one-node';
  readonly about = 'everything on one node';
  readonly nodes = 'none';
  readonly fallback = 'any';
  readonly rebind = 'keep';
  constructor(@inject(FAVOURITE) private readonly favourite: NodeId) {}
  create = (_context: PolicyContext): PolicyInstance => ({
    place: () => this.favourite,
    misplaced: (fault: Fault) => (fault.pageNode === this.favourite ? NO_NODE : this.favourite),
  });
}

/** The default costs, but an anonymous first touch costs what the program says. */
@injectable()
class DearFirstTouch extends LoadedLatency {
  constructor() {
    super(tinyDescription().cost);
  }
  override faultNs(kind: FaultKind): number {
    return kind === FaultKind.anon ? 1_000_000 : super.faultNs(kind);
  }
}

@injectable()
class StepLog implements Tracer {
  readonly steps: string[] = [];
  who(): void {
    // one task
  }
  enter(what: string): void {
    this.steps.push(`${what} {`);
  }
  leave(): void {
    this.steps.push('}');
  }
  step(name: string, page: number, detail: number): void {
    this.steps.push(page > 0 && name === 'M9' ? `${name}>${detail}` : name);
  }
}

const STEPS_OF_A_MOVING_FAULT = [
  ...['fault {', 'S2', 'S4', 'S5', 'HOOK', 'C6'],
  ...['M1', 'M2', 'M3', 'M4', 'M5a', 'M5b', 'M5c', 'M5d', 'M6', 'M7', 'M8', 'M9>2'],
  ...['S6', 'S7', 'S8', 'S10', 'S11', '}'],
];

describe('compose', () => {
  it('makes a machine of the profile, the costs and the policy that its options name', () => {
    const machine = tinyMachine({ profile: 'mof-2006' });
    expect(machine.rules).toEqual(rulesOf(profileNamed('mof-2006').rules));
    expect(machine.defaultPolicy.definition).toBe(POLICIES.default);
    expect(machine.cost).toBeInstanceOf(LoadedLatency);
    expect(migrateOne(machine)).toBe(2);
  });

  it('changes single rules by name', () => {
    const machine = tinyMachine({ rules: { swapIn: 'read-only' } });
    expect(machine.rules.swapIn.readMapsWritable).toBe(false);
    expect(machine.rules.lru).toBe(tinyMachine().rules.lru);
    expect(() => tinyMachine({ rules: { swapIn: 'sometimes' } })).toThrow(MmError);
    expect(() => tinyMachine({ profile: 'mof-2005' })).toThrow('did you mean "mof-2006"');
  });

  it('POLICY rebound to a value: pages go where it says, and follow it in faults', () => {
    const policy: PolicyDefinition = {
      ...{ name: 'last', about: 'the last node', nodes: 'none', fallback: 'any', rebind: 'keep' },
      create: ({ world }) => {
        const last = asNodeId(world.nodeCount - 1);
        return { place: () => last, misplaced: (fault) => (fault.pageNode === last ? NO_NODE : last) };
      },
    };
    const machine = tinyMachine({
      rebind: exchange(POLICY, (container) => container.bind(POLICY).toConstantValue(policy)),
    });
    expect(migrateOne(machine)).toBe(3);
    expect(machine.counters.get('mof_stay_c6_well_placed')).toBe(1);
    checkMachine(machine);
  });

  it('POLICY rebound to an injectable class, which is given a token of its own', () => {
    const machine = tinyMachine({
      rebind: exchange(POLICY, (container) => {
        container.bind(FAVOURITE).toConstantValue(asNodeId(3));
        container.bind(POLICY).to(OneNode);
      }),
    });
    const task = processOn(machine, 0);
    mapAnon(machine, task, START, 1);
    machine.touch(task, START, true);
    expect(nodeAt(machine, task, START)).toBe(3);
    expect(machine.defaultPolicy.definition.name).toBe('one-node');
  });

  it('COST_MODEL rebound to an injectable class: time passes by its prices', () => {
    const spent = (rebind?: Rebind) => {
      const machine = tinyMachine(rebind === undefined ? {} : { rebind });
      const task = processOn(machine, 0);
      mapAnon(machine, task, START, 3);
      const begin = machine.meter.nowNs;
      for (const page of [0, 1, 2]) machine.touch(task, START + page, true);
      return { ns: machine.meter.nowNs - begin, cost: machine.cost };
    };
    const dear = spent(exchange(COST_MODEL, (container) => container.bind<CostModel>(COST_MODEL).to(DearFirstTouch)));
    expect(dear.ns).toBe(3_000_000);
    expect(dear.cost).toBeInstanceOf(DearFirstTouch);
    expect(spent().ns).toBe(3 * tinyDescription().cost.minorFaultNs);
  });

  it('TRACER rebound: it is told the steps of a fault and of a migration, in order', () => {
    const log = new StepLog();
    const machine = tinyMachine({
      rebind: exchange(TRACER, (container) => container.bind(TRACER).toConstantValue(log)),
    });
    migrateOne(machine);
    expect(log.steps.slice(log.steps.lastIndexOf('fault {'))).toEqual(STEPS_OF_A_MOVING_FAULT);
  });

  it('TRACER rebound to an injectable class: the same', () => {
    let log: StepLog | null = null;
    const rebind = exchange(TRACER, (container) => {
      container.bind(TRACER).to(StepLog).inSingletonScope();
      log = container.get<StepLog>(TRACER);
    });
    migrateOne(tinyMachine({ rebind }));
    expect(log!.steps.slice(-STEPS_OF_A_MOVING_FAULT.length)).toEqual(STEPS_OF_A_MOVING_FAULT);
  });

  it('PROFILE rebound: the machine goes by these rules, whatever profile its options name', () => {
    const rules = { ...rulesOf(profileNamed('mof').rules), misplacedGate: { isOpen: () => false } };
    const machine = tinyMachine({
      rebind: exchange(PROFILE, (container) => container.bind(PROFILE).toConstantValue(rules)),
    });
    expect(migrateOne(machine)).toBe(1);
    expect(machine.counters.get('mof_stay_c5_no_flag')).toBe(1);
  });

  it('an exchanged part changes nothing on the next machine', () => {
    const rules = { ...rulesOf(profileNamed('mof').rules), misplacedGate: { isOpen: () => false } };
    tinyMachine({ rebind: exchange(PROFILE, (container) => container.bind(PROFILE).toConstantValue(rules)) });
    expect(migrateOne(tinyMachine())).toBe(2);
  });

  it('a part that is missing is noticed while composing', () => {
    expect(() => tinyMachine({ rebind: (container) => container.unbind(COST_MODEL) })).toThrow();
  });
});

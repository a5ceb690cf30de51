import { COST_MODEL, POLICY, PROFILE, profileNamed, TRACER } from '../engine/index.js';
import { printPolicy, type RunRequest } from '../run/index.js';

/** What the machine of a run is composed of: the tokens of engine/compose.ts, what each is bound to, and the rules chosen. */
export function wiringText({ spec, machine, seed, options }: RunRequest): string {
  const { switches } = spec;
  const profile = profileNamed(switches.profile);
  const hooks = { swap: switches.hookSwap, file: switches.hookFile, shmem: switches.hookShmem };
  const hooksOn = Object.entries(hooks).flatMap(([name, isOn]) => (isOn ? [name] : []));
  const cpus = machine.nodes.reduce((sum, node) => sum + node.cpus.length, 0);
  const lines: readonly (readonly [number, string, string])[] = [
    [
      1,
      'Machine',
      `${machine.name}, ${String(machine.nodes.length)} nodes, ${String(cpus)} CPUs, seed ${String(seed)}`,
    ],
    [2, tokenName(PROFILE), `${profile.name}: ${profile.about}`],
    ...Object.entries(profile.rules).map(([rule, variant]) => [3, rule, variant] as const),
    [2, tokenName(COST_MODEL), `LoadedLatency, hit ${String(options.hitNs)} ns, mlp ${String(options.mlp)}`],
    [2, tokenName(POLICY), 'default'],
    [2, tokenName(TRACER), 'null'],
    [1, 'policy of the run', printPolicy(spec.policy)],
    ...switches.vmas.map(({ region, policy }) => [1, `policy of region ${region}`, printPolicy(policy)] as const),
    [1, 'hooks', hooksOn.length === 0 ? 'off' : hooksOn.join(', ')],
    [1, 'swap', switches.swap ? 'as large as memory' : 'off'],
  ];
  return [
    spec.text,
    ...lines.map(([depth, name, value]) => `${'  '.repeat(depth)}${name}`.padEnd(46) + value),
    '',
  ].join('\n');
}

/** Tokens are symbols; their description is their name. */
const tokenName = (token: symbol): string => token.description ?? String(token);

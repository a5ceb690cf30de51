import { nearestName } from '../errors.js';
import type { Piece } from './piece.js';
import type { PolicyFlag, PolicySpec } from './run-spec.js';
import { ACTIONS, FLAGS, namesThere, SWITCHES } from './words.js';

/** NODES as numactl writes them: `[!][+]` once, then `N` or `A-B` joined by commas, `all` alone or last. */
const NODES = /^!?\+?(?:all|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*(?:,all)?)$/;

/** `POLICY[=NODES][:FLAG…][:OPTION=VALUE…]`. That the policy exists and has the options is for its loader to say. */
export function parsePolicy(piece: Piece): PolicySpec {
  const [head, ...extras] = piece.split(':');
  const [name, nodes] = head.cut('=');
  checkName(name);
  if (nodes) checkNodes(nodes);
  const flags: PolicyFlag[] = [];
  const options: Record<string, string> = {};
  for (const extra of extras) {
    const [key, value] = extra.cut('=');
    if (value === null) addFlag(flags, key);
    else addOption(options, key, value);
  }
  return { name: name.value, nodes: nodes?.value ?? null, flags, options };
}

/** NODES as they are written; that the machine has them is for others to say. */
export function checkNodes(nodes: Piece): string {
  if (NODES.test(nodes.value)) return nodes.value;
  return nodes.fail(`"${nodes.value}" is not a list of nodes; expected e.g. 0, 0-3, 0,2, all, !1 or +0`);
}

/** True for what names a file or a scoped package and not a bundled policy. */
export function isPluginName(name: string): boolean {
  return name.includes('/') || /\.[cm]?[jt]s$/.test(name);
}

function checkName(name: Piece): void {
  const { value } = name;
  if (value === '') name.fail('the name of a policy is missing, e.g. default or interleave=all');
  if (isPluginName(value)) return;
  const at = name.find('@');
  if (at >= 0) name.fail(`"${value.slice(at)}": a moment belongs to an action, e.g. default+lazy@threads`, at);
  if ([...ACTIONS, ...SWITCHES].some((word) => word.name === value)) {
    name.fail(`"${value}" is no policy; a run starts with one, e.g. default+${name.source.text}`);
  }
  if (!/^[A-Za-z][\w.-]*$/.test(value)) {
    name.fail(
      `"${value}" cannot be the name of a policy; expected a name like interleave, a file like ./mine.ts or a package`,
    );
  }
}

function addFlag(flags: PolicyFlag[], piece: Piece): void {
  const word = FLAGS.find((flag) => flag.name === piece.value);
  if (!word) {
    const near = nearestName(
      piece.value,
      FLAGS.map((flag) => flag.name),
    );
    const hint =
      near === undefined
        ? `expected ${FLAGS.map((flag) => flag.name).join(', ')} or OPTION=VALUE`
        : `did you mean "${near}"?`;
    return piece.fail(`unknown flag "${piece.value}"; ${hint}`);
  }
  if (!word.isThere) {
    piece.fail(
      `"${word.name}" is not there yet: ${word.about}; this version carries out ${namesThere(FLAGS)}`,
      0,
      'NOT_THERE_YET',
    );
  }
  const flag = word.name as PolicyFlag;
  if (flags.includes(flag)) return;
  const other = flags.find((given) => given !== 'numa_balancing');
  if (other !== undefined && flag !== 'numa_balancing') piece.fail(`"${flag}" and "${other}" exclude each other`);
  flags.push(flag);
}

function addOption(options: Record<string, string>, key: Piece, value: Piece): void {
  if (!/^[A-Za-z][\w-]*$/.test(key.value))
    key.fail(`"${key.value}" cannot be the name of an option; expected OPTION=VALUE`);
  if (Object.hasOwn(options, key.value)) key.fail(`option "${key.value}" is given twice`);
  if (value.value === '') value.fail(`option "${key.value}" has no value`);
  options[key.value] = value.value;
}

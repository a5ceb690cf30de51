import { nearestName } from '../errors.js';
import { parseAction } from './parse-action.js';
import { parseMoment } from './parse-moment.js';
import { parsePolicy } from './parse-policy.js';
import { parseSwitch, type MutableSwitches } from './parse-switch.js';
import { Piece } from './piece.js';
import { DEFAULT_SWITCHES, type ActionSpec, type Moment, type RunSpec } from './run-spec.js';
import { ACTIONS, SWITCHES, type SwitchWord } from './words.js';

/**
 * Takes one RUN of the command line apart: a policy, then actions and switches, each after a `+`.
 * A `+` directly after `=`, `:` or their `!` belongs to NODES; text between double quotes is taken as it is.
 *
 * @throws MmError BAD_RUN with the place, NOT_THERE_YET for words that this version does not carry out
 */
export function parseRun(text: string): RunSpec {
  const [policyWord, ...words] = Piece.scan({ what: 'run', code: 'BAD_RUN', text }).split('+', isSeparator);
  const policy = parsePolicy(policyWord);
  const actions: ActionSpec[] = [];
  const switchWords: { readonly word: Piece; readonly known: SwitchWord }[] = [];
  const switches: MutableSwitches = { ...DEFAULT_SWITCHES };
  for (const word of words) {
    const name = nameOf(word);
    const action = ACTIONS.find((candidate) => candidate.name === name);
    const known = SWITCHES.find((candidate) => candidate.name === name);
    if (action) actions.push(parseAction(word, action));
    else if (known) switchWords.push({ word, known });
    else unknownWord(word, name);
  }
  const isAutomatic = ({ known }: { known: SwitchWord }) => known.name === 'automigrate';
  for (const { word, known } of switchWords.filter(isAutomatic)) parseSwitch(word, known, switches);
  // What unmaps lazily is pointless without the hooks, so it brings them; what the person says about hooks refines that.
  switches.hookSwap = switches.hookFile = switches.hookShmem = unmapsLazily({ actions, switches });
  for (const { word, known } of switchWords) if (!isAutomatic({ known })) parseSwitch(word, known, switches);
  return { text, policy, actions, switches };
}

/** Pages are unmapped for their next toucher: the hooks are on unless the run says otherwise. */
export function unmapsLazily({ actions, switches }: Pick<RunSpec, 'actions' | 'switches'>): boolean {
  return switches.autoMigrate?.lazy === true || actions.some((action) => action.kind === 'lazy');
}

/** MOMENT as the value of a command-line option. `what` is the option's name, for the error line. */
export function parseMomentOption(what: string, text: string): Moment {
  return parseMoment(Piece.scan({ what, code: 'BAD_OPTION', text }));
}

function isSeparator(shape: string, at: number): boolean {
  const before = shape.slice(Math.max(0, at - 2), at);
  return !/[=:]$|^[=:]!$/.test(before);
}

function nameOf(word: Piece): string {
  const at = word.find('=:@');
  return at < 0 ? word.value : word.value.slice(0, at);
}

function unknownWord(word: Piece, name: string): never {
  if (word.length === 0) word.fail('an action or a switch is missing here');
  const near = nearestName(
    name,
    [...ACTIONS, ...SWITCHES].map((candidate) => candidate.name),
  );
  const names = (table: readonly { name: string }[]) => table.map((entry) => entry.name).join(', ');
  word.fail(
    `unknown word "${name}"; ` +
      (near === undefined
        ? `expected an action (${names(ACTIONS)}) or a switch (${names(SWITCHES)})`
        : `did you mean "${near}"?`),
  );
}

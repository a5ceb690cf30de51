import { generatedSource } from './generated-source.js';
import { COMMON_OPTIONS, threadsEach, type CommonValues, type GeneratorKind } from './kind.js';
import { KINDS } from './kinds/index.js';
import type { GeneratorOption, GeneratorOptions } from './option.js';
import type { TraceSource } from '../trace-source.js';
import { MmError, nearestName } from '../../errors.js';

/** What a TRACE begins with that is made and not read: `gen:KIND[:OPTION=VALUE…]`. */
export const GENERATOR_PREFIX = 'gen:';

/** Options of a kind, its own first, with what holds for it when they are not given. */
export function optionsOf(kind: GeneratorKind): GeneratorOptions {
  const common = Object.entries<GeneratorOption>(COMMON_OPTIONS).map(([name, option]) => {
    const initial = kind.initials[name] ?? option.initial;
    return [name, { ...option, initial }] as const;
  });
  return { ...kind.options, ...Object.fromEntries(common) };
}

/** The words for a kind and options as they were given; those at their initial value are left out. */
export function generatorWords(kind: GeneratorKind, given: Readonly<Record<string, string>>): string {
  const options = Object.entries(optionsOf(kind)).filter(
    ([name, { initial }]) => given[name] !== undefined && given[name] !== initial,
  );
  return GENERATOR_PREFIX + [kind.name, ...options.map(([name]) => `${name}=${given[name]}`)].join(':');
}

/**
 * The trace that `words` describe.
 * @throws MmError BAD_OPTION, one line: no such kind or option, a bad value, values that contradict each other
 */
export function openGenerated(words: string): TraceSource {
  const [name, ...settings] = words.slice(GENERATOR_PREFIX.length).split(':');
  const kind = kindNamed(name, words);
  const options = optionsOf(kind);
  const given: Record<string, string> = {};
  for (const setting of settings) {
    const [option, ...rest] = setting.split('=');
    if (rest.length === 0) fail(words, `"${setting}" is no OPTION=VALUE; options are ${namesOf(options)}`);
    if (!Object.hasOwn(options, option)) unknownOption(words, kind, option, options);
    if (Object.hasOwn(given, option)) fail(words, `option "${option}" is given twice`);
    given[option] = rest.join('=');
  }
  const values = Object.fromEntries(
    Object.entries(options).map(([option, { read, initial, expected }]) => {
      const text = given[option] ?? initial;
      const value = read(text);
      if (value === undefined) fail(words, `${option} is "${text}"; expected ${expected}`);
      return [option, value];
    }),
  ) as unknown as CommonValues;
  threadsEach(values);
  const { threads, processes, quantum, seed } = values;
  return generatedSource({
    ...{ name: generatorWords(kind, given), title: kind.about, threads, processes, quantum, seed },
    blueprint: kind.plan({ ...values }),
  });
}

function kindNamed(name: string, words: string): GeneratorKind {
  const kind = KINDS.find((candidate) => candidate.name === name);
  if (kind !== undefined) return kind;
  const names = KINDS.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  return fail(
    words,
    `no kind "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`} Kinds: ${names.join(', ')}`,
  );
}

function unknownOption(words: string, kind: GeneratorKind, option: string, options: GeneratorOptions): never {
  const near = nearestName(option, Object.keys(options));
  const hint = near === undefined ? `its options are ${namesOf(options)}` : `did you mean "${near}"?`;
  return fail(words, `"${kind.name}" has no option "${option}"; ${hint}`);
}

const namesOf = (options: GeneratorOptions): string => Object.keys(options).join(', ');

function fail(words: string, what: string): never {
  throw new MmError('BAD_OPTION', `cannot generate "${words}": ${what}`);
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { profileNamed, PROFILES, rulesOf, VARIANTS, type RuleNames } from '../../src/engine/index.js';
import { PROFILES as PROFILE_WORDS } from '../../src/run/index.js';
import { errorOf } from '../support/error-of.js';
import { tinyMachine } from '../support/tiny-machine.js';

/** Tables of docs/profiles.md as rows of cells without backquotes; the first row has the headings. */
function tablesOfDocs(): string[][][] {
  const text = readFileSync(new URL('../../docs/profiles.md', import.meta.url), 'utf8');
  const blocks = text.split(/\n(?!\|)/).map((block) => block.split('\n').filter((line) => line.startsWith('|')));
  return blocks
    .filter((lines) => lines.length > 2)
    .map((lines) =>
      lines
        .filter((line) => !/^\|[\s|:-]+\|$/.test(line))
        .map((line) =>
          line
            .slice(1, -1)
            .split('|')
            .map((cell) => cell.trim().replaceAll('`', '')),
        ),
    );
}

const [RULES_TABLE, SINGLE_TABLE] = tablesOfDocs();
const RULE_NAMES = Object.keys(VARIANTS) as (keyof RuleNames)[];
const COUNT = 42;

describe('the table of rules and profiles in the documentation', () => {
  it('has every profile as a column and every rule as a row, in the order of the code', () => {
    const [head, ...rows] = RULES_TABLE;
    expect(head).toEqual(['rule', 'what differs', ...PROFILES.map(({ name }) => name)]);
    expect(rows.map(([rule]) => rule)).toEqual(RULE_NAMES);
    expect(rows).toHaveLength(COUNT);
  });

  it.each(PROFILES.map((profile) => [profile.name, profile] as const))('says what %s takes', (name, { rules }) => {
    const [head, ...rows] = RULES_TABLE;
    const column = head.indexOf(name);
    expect(Object.fromEntries(rows.map((row) => [row[0], row[column]]))).toEqual(rules);
  });

  it('says of each rule what differs, with the statement it comes from or in plain words', () => {
    for (const [rule, what] of RULES_TABLE.slice(1))
      expect(`${rule}: ${what}`.length).toBeGreaterThan(rule.length + 20);
  });

  it('lists apart the variants that no profile takes', () => {
    const used = new Set(PROFILES.flatMap(({ rules }) => RULE_NAMES.map((rule) => `${rule}=${rules[rule]}`)));
    const all = RULE_NAMES.flatMap((rule) => Object.keys(VARIANTS[rule]).map((variant) => `${rule}=${variant}`));
    const [, ...single] = SINGLE_TABLE;
    expect(all.filter((variant) => !used.has(variant))).toEqual(single.map(([rule, variant]) => `${rule}=${variant}`));
  });
});

describe('profiles', () => {
  it.each(PROFILES)('$name names a variant that exists for each rule', ({ rules }) => {
    expect(Object.keys(rules)).toEqual(RULE_NAMES);
    const chosen = rulesOf(rules);
    for (const rule of RULE_NAMES) {
      const variants: Readonly<Record<string, unknown>> = VARIANTS[rule];
      expect(Object.keys(variants)).toContain(rules[rule]);
      expect(chosen[rule]).toBe(variants[rules[rule]]);
    }
  });

  it('are those that a run can ask for', () => {
    const there = PROFILE_WORDS.filter(({ isThere }) => isThere).map(({ name }) => name);
    expect([...there].sort()).toEqual(PROFILES.map(({ name }) => name).sort());
  });

  it('mof and linux-6.12 differ in nothing but the hooks and lazy unmapping', () => {
    const [mof, mainline] = [profileNamed('mof'), profileNamed('linux-6.12')];
    expect({ ...mof.rules, lazyUnmap: 'refused' }).toEqual(mainline.rules);
    expect([mof.hooks.length, mainline.hooks.length]).toEqual([3, 0]);
  });

  it.each(RULE_NAMES.flatMap((rule) => Object.keys(VARIANTS[rule]).map((variant) => [rule, variant] as const)))(
    'one rule can be changed alone: %s=%s',
    (rule, variant) => {
      const machine = tinyMachine({ rules: { [rule]: variant } });
      const variants: Readonly<Record<string, unknown>> = VARIANTS[rule];
      expect(machine.rules).toEqual({ ...rulesOf(profileNamed('mof').rules), [rule]: variants[variant] });
    },
  );

  it('an unknown profile or variant is one line with what there is', () => {
    expect(errorOf(() => profileNamed('linux-6.2'))).toEqual({
      code: 'BAD_OPTION',
      message:
        'no profile "linux-6.2"; did you mean "linux-6.1"? Known: mof, mof-2006, direct-2005, swap-2006, linux-5.15, linux-6.1, linux-6.12',
    });
    expect(errorOf(() => rulesOf({ ...profileNamed('mof').rules, lru: '5.15' }))).toEqual({
      code: 'BAD_OPTION',
      message: 'rule lru has no variant "5.15". Known: 6.12, 6.1, 2.6.16',
    });
  });
});

import { EXIT_CODES_HELP } from './exit-codes.js';
import { ACTIONS, FLAGS, MOMENTS, PROFILES, SWITCHES, type Word } from '../run/index.js';

/** The grammar of RUN, exit codes and examples: the end of the help of `compare` and `run`. */
export function runHelp(examples: string): string {
  return `
RUN is one word: a policy, then actions and switches, each after a +
  POLICY[=NODES][:FLAG…][:OPTION=VALUE…][+ACTION[@MOMENT]…][+SWITCH=VALUE…]

POLICY   a name (mof policy list), a file (./mine.ts) or a package; its options: mof policy show NAME
NODES    as numactl takes them: 0  0-3  0,2  all  !1 (all but)  +0 (counted among the allowed)
FLAG
${list(FLAGS)}
ACTION
${list(ACTIONS)}
MOMENT   taken for each process by itself: one in which it never comes is passed over; if it comes in none, the report says so
${list(MOMENTS.map((moment) => ({ ...moment, isThere: true })))}
SWITCH   the value that holds without the word comes first; a later word refines an earlier one
${list(SWITCHES)}
PROFILE  of profile=
${list(PROFILES.map((profile) => ({ ...profile, syntax: profile.name })))}

REGION is the id, name or kind of a region of the trace. Quote with "…" what holds a + : @ or = that is meant as text.

${examples}

${EXIT_CODES_HELP}`;
}

function list(words: readonly Pick<Word, 'syntax' | 'about' | 'isThere'>[]): string {
  return words
    .map(({ syntax, about, isThere }) => {
      const text = `${about}${isThere ? '' : ' (not there yet)'}`;
      return syntax.length > 34 ? `  ${syntax}\n${' '.repeat(38)}${text}` : `  ${syntax.padEnd(36)}${text}`;
    })
    .join('\n');
}

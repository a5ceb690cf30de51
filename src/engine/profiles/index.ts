/**
 * Kernel profiles: named sets of the small rules in which the eras differ.
 *
 * rules.ts lists each rule with its variants, profiles.ts which profile takes which. Read by compose.ts, which binds
 * the chosen set; nobody else knows profiles. To add a rule: a member of `Rules`, its variants, a name in each profile.
 */
export { hookSwitches, profileNamed, PROFILES, rulesOf, type Hook } from './profiles.js';
export { VARIANTS, type RuleNames, type Rules } from './rules.js';

/** Random programs without end: `npm run soak`. Arguments are in test/support/random/soak.ts. */
import { soak } from '../support/random/soak.js';

process.exitCode = soak(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  now: () => performance.now(),
  anySeed: Math.floor(Date.now() / 1000) % 2 ** 30,
});

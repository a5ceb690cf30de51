import { styleText } from 'node:util';
import { plain, type Paint } from '../report/index.js';

const STYLES = { bold: 'bold', dim: 'gray', good: 'green', bad: 'red' } as const;

/** Colours for a terminal, none for files and pipes. NO_COLOR (any value) and TERM=dumb turn them off, FORCE_COLOR on. */
export function painterFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isSet = (name: string) => (env[name] ?? '') !== '';
  if (isSet('NO_COLOR') || env['FORCE_COLOR'] === '0') return plain;
  const isTerminal = stream.isTTY === true && env['TERM'] !== 'dumb';
  if (!isTerminal && !isSet('FORCE_COLOR')) return plain;
  return (style, text) => styleText(STYLES[style], text, { validateStream: false });
}

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { memtoyScript } from '../support/memtoy.js';

const page = readFileSync(new URL('../../docs/memtoy.md', import.meta.url), 'utf8');
const session = /```\n(memtoy>[\s\S]*?)```/.exec(page)?.[1] ?? '';
const commandsOf = (text: string): string[] => [...text.matchAll(/^ *memtoy>(.*)$/gm)].map(([, command]) => command);

it('the session in docs/memtoy.md is what comes out', async () => {
  const commands = commandsOf(session);
  expect(commands).toHaveLength(5);
  const { all } = await memtoyScript(commands.join('\n'), { isVerbose: true });
  expect(all).toBe(`memtoy pid:  100\n${session}memtoy EOF on stdin\n`);
  expect(commandsOf(readFileSync(new URL('../../README.md', import.meta.url), 'utf8'))).toEqual(commands);
});

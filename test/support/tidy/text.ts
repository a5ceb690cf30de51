import ts from 'typescript';
import { offence, visit, type Rule } from './source.js';

const LEFT_OUT = new Set(['only', 'skip', 'skipIf', 'runIf', 'todo', 'fails']);
const TEST_NAMES = new Set(['it', 'test', 'describe', 'suite', 'bench', 'ctx']);

/** Every test runs, always. */
export const noTestLeftOut: Rule = (source) => {
  if (!source.path.startsWith('test/')) return [];
  const found: string[] = [];
  visit(source.tree, (node) => {
    if (!ts.isPropertyAccessExpression(node) || !LEFT_OUT.has(node.name.text)) return;
    let root: ts.Expression = node;
    while (ts.isPropertyAccessExpression(root) || ts.isCallExpression(root)) root = root.expression;
    if (ts.isIdentifier(root) && TEST_NAMES.has(root.text))
      found.push(offence(source, node, `.${node.name.text}( leaves tests out`));
  });
  visit(source.tree, (node) => {
    if (ts.isIdentifier(node) && /^(xit|xtest|xdescribe|fit|fdescribe)$/.test(node.text)) {
      found.push(offence(source, node, `${node.text} leaves tests out`));
    }
  });
  return found;
};

/** The face of a folder opens with a comment of 5 to 15 lines: what it keeps, who calls it, what always holds. */
export const headerOfFace: Rule = ({ path, text }) => {
  const lines = (/^\s*\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? '').trim().split('\n');
  const count = lines[0] === '' ? 0 : lines.length;
  return count >= 5 && count <= 15 ? [] : [`${path}:1: opens with a header of ${count} lines, not of 5 to 15`];
};

const FOREIGN_TEXT: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(`(?<![\\w.~-])/(${['work', 'tmp', 'root', 'home', 'Users'].join('|')})(?![\\w.-])`),
    'a path of one machine',
  ],
  [/\bregistry\.[a-z0-9.-]+\.(com|dev|io|net|org)\b/i, 'a package registry'],
  [/\bhttps?:\/\/(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.|[^/\s]*\.(internal|local)\b)/i, 'a private host'],
];

/** Nothing that is true on one computer only. */
export function foreignText(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, i) =>
    FOREIGN_TEXT.flatMap(([pattern, what]) => {
      const hit = pattern.exec(line);
      return hit === null ? [] : [`${path}:${i + 1}: ${what}: ${hit[0]}`];
    }),
  );
}

/** Files and folders of the code are kebab-case. */
export function badName(path: string): string[] {
  const bad = path.split('/').find((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(part));
  return bad === undefined ? [] : [`${path}: ${bad} is not kebab-case`];
}

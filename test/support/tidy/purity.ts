import { builtinModules } from 'node:module';
import ts from 'typescript';
import { LAYERS, layerOf, mayUseNode } from './layers.js';
import { freeIdentifiers, importsOf, offence, visit, type Rule } from './source.js';

const CLOCK_NAMES = new Set(['Date', 'performance', 'Temporal', 'Intl']);
const CLOCK_MEMBERS = new Set([
  ...['hrtime', 'timeOrigin', 'uptime', 'cpuUsage'],
  ...['getRandomValues', 'randomBytes', 'randomFillSync', 'randomInt', 'randomUUID'],
  ...['localeCompare', 'toLocaleLowerCase', 'toLocaleString', 'toLocaleUpperCase'],
]);

/** Same seed, same bytes on any machine: below cli/ nothing asks the clock, chance, or where in the world it runs. */
export const noClockNoChance: Rule = (source) => {
  if (!/^(src|policies)\//.test(source.path) || layerOf(source.path) === 'cli') return [];
  const named = freeIdentifiers(source).flatMap((node) => {
    if (CLOCK_NAMES.has(node.text)) return [offence(source, node, `${node.text} below cli/`)];
    if (node.text !== 'Math') return [];
    const member = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : null;
    if (member === null) return [offence(source, node, 'Math as a whole hides Math.random: write Math.member')];
    return member === 'random' ? [offence(source, node, 'Math.random: draw from Random (src/random.ts)')] : [];
  });
  const members: string[] = [];
  visit(source.tree, (node) => {
    const name = memberName(node);
    if (name !== null && CLOCK_MEMBERS.has(name)) members.push(offence(source, node, `${name} below cli/`));
    if (name !== null && CLOCK_NAMES.has(name) && isGlobalThis(node))
      members.push(offence(source, node, `${name} below cli/`));
  });
  const modules = importsOf(source)
    .filter(({ specifier }) => /^(node:)?perf_hooks$/.test(specifier))
    .map(({ specifier, line }) => `${source.path}:${line}: ${specifier} below cli/`);
  return [...named, ...members, ...modules];
};

const BUILTIN = new Set(builtinModules);
const NODE_NAMES = new Set([
  ...['process', 'Buffer', 'NodeJS', 'global', 'require', 'module', '__dirname', '__filename'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
]);

/** The model runs in a browser's worker too: below engine/ nothing of Node, trace/readers and trace/writers excepted. */
export const noNodeBelowEngine: Rule = (source) => {
  if (!/^(src|policies)\//.test(source.path) || mayUseNode(source.path)) return [];
  const modules = importsOf(source).flatMap(({ specifier, line }) => {
    if (specifier.startsWith('node:') || BUILTIN.has(specifier))
      return [`${source.path}:${line}: ${specifier} below engine/`];
    const needsNode = LAYERS.packagesThatNeedNode.some(
      (name) => specifier === name || specifier.startsWith(`${name}/`),
    );
    return needsNode ? [`${source.path}:${line}: ${specifier} needs Node, below engine/`] : [];
  });
  const names = freeIdentifiers(source)
    .filter((node) => NODE_NAMES.has(node.text))
    .map((node) => offence(source, node, `${node.text} is Node's, below engine/`));
  const members: string[] = [];
  visit(source.tree, (node) => {
    const name = memberName(node);
    if (name !== null && NODE_NAMES.has(name) && isGlobalThis(node))
      members.push(offence(source, node, `${name} below engine/`));
  });
  return [...modules, ...names, ...members];
};

/** `a.name`, `a['name']`, `import { name }`, `const { name } = a`: the name taken, else null. */
function memberName(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
    return node.argumentExpression.text;
  if (ts.isImportSpecifier(node)) return (node.propertyName ?? node.name).text;
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    return ts.isIdentifier(name) ? name.text : null;
  }
  return null;
}

function isGlobalThis(node: ts.Node): boolean {
  const owner = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) ? node.expression : null;
  return owner !== null && ts.isIdentifier(owner) && owner.text === 'globalThis';
}

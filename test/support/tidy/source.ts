import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** One file of the repository, parsed. Paths are relative to its root, with slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** A rule looks at one file and says, line by line, what is wrong with it. */
export type Rule = (source: Source) => string[];

/** One `import … from`, `export … from` or `import(…)`. */
export interface ImportRef {
  /** As written: `../units.js`, `node:fs`, `zod`. */
  readonly specifier: string;
  /** The file of this repository that it means (`src/units.ts`), or null for a package or a module of Node. */
  readonly target: string | null;
  /** `import type` or `export type`: nothing of it is left at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage']);

/** Every file below `folder`, sorted, without what is generated or installed. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesUnder(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function parse(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) };
}

/** `src/mm/lru.ts:12: what` */
export function offence(source: Source, node: ts.Node, what: string): string {
  return `${source.path}:${lineOf(source, node)}: ${what}`;
}

function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1;
}

export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

export function importsOf(source: Source): ImportRef[] {
  const found: ImportRef[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const target = targetOf(source.path, specifier.text);
    found.push({ specifier: specifier.text, target, typeOnly, line: lineOf(source, node) });
  };
  visit(source.tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    }
  });
  return found;
}

/** NodeNext: `./lru.js` is written where `lru.ts` is meant. */
function targetOf(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return normalize(join(dirname(from), specifier))
    .replaceAll('\\', '/')
    .replace(/\.js$/, '.ts');
}

/**
 * Identifiers that mean something from outside the file: no property or member names, nothing declared in an
 * enclosing scope. So a trace's `process` is not Node's.
 */
export function freeIdentifiers(source: Source): ts.Identifier[] {
  const found: ts.Identifier[] = [];
  visit(source.tree, (node) => {
    if (ts.isIdentifier(node) && !isMemberName(node) && !isDeclared(node)) found.push(node);
  });
  return found;
}

function isMemberName(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return parent.propertyName === node;
  const isMember =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isAccessor(parent) ||
    ts.isEnumMember(parent);
  return isMember && parent.name === node;
}

function isDeclared(node: ts.Identifier): boolean {
  let scope: ts.Node = node;
  while (!ts.isSourceFile(scope)) {
    scope = scope.parent;
    if (namesDeclaredIn(scope).has(node.text)) return true;
  }
  return false;
}

const declaredNames = new WeakMap<ts.Node, Set<string>>();

/** Names that `scope` itself brings in: its parameters, its statements' declarations, its loop or catch variable. */
function namesDeclaredIn(scope: ts.Node): Set<string> {
  const known = declaredNames.get(scope);
  if (known) return known;
  const names = new Set<string>();
  const bind = (name: ts.BindingName | undefined) => {
    if (name === undefined) return;
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) bind(element.name);
  };
  const list = (declarations: ts.Node | undefined) => {
    if (declarations && ts.isVariableDeclarationList(declarations))
      declarations.declarations.forEach((d) => bind(d.name));
  };
  if (ts.isFunctionLike(scope)) for (const parameter of scope.parameters) bind(parameter.name);
  if (ts.isCatchClause(scope)) bind(scope.variableDeclaration?.name);
  if (ts.isForStatement(scope) || ts.isForOfStatement(scope) || ts.isForInStatement(scope)) list(scope.initializer);
  if (ts.isBlock(scope) || ts.isSourceFile(scope) || ts.isCaseOrDefaultClause(scope)) {
    for (const statement of scope.statements) {
      if (ts.isVariableStatement(statement)) list(statement.declarationList);
      else if (ts.isImportDeclaration(statement)) bindImport(statement.importClause, names);
      else if (isNamed(statement) && statement.name) names.add(statement.name.text);
    }
  }
  declaredNames.set(scope, names);
  return names;
}

function isNamed(node: ts.Node): node is ts.FunctionDeclaration | ts.ClassDeclaration | ts.EnumDeclaration {
  return ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isEnumDeclaration(node);
}

function bindImport(clause: ts.ImportClause | undefined, names: Set<string>): void {
  if (clause?.name) names.add(clause.name.text);
  const bindings = clause?.namedBindings;
  if (bindings && ts.isNamespaceImport(bindings)) names.add(bindings.name.text);
  else bindings?.elements.forEach((element) => names.add(element.name.text));
}

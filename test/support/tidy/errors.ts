import ts from 'typescript';
import { offence, visit, type Rule, type Source } from './source.js';

/** Names that stand for the two kinds of error of errors.ts: subclasses, and functions declared to return one. */
export function errorMakers(sources: readonly Source[]): { classes: Set<string>; makers: Set<string> } {
  const classes = new Set(['MmError', 'ModelBug']);
  const makers = new Set<string>();
  const isError = (type: ts.TypeNode | undefined) =>
    type !== undefined &&
    ts.isTypeReferenceNode(type) &&
    ts.isIdentifier(type.typeName) &&
    classes.has(type.typeName.text);
  for (const { tree } of sources) {
    visit(tree, (node) => {
      if (ts.isClassDeclaration(node) && node.name) {
        const parent = node.heritageClauses?.[0]?.types[0]?.expression;
        if (parent && ts.isIdentifier(parent) && classes.has(parent.text)) classes.add(node.name.text);
      }
      if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.name && isError(node.type)) {
        makers.add(node.name.getText(tree));
      }
      if (ts.isVariableDeclaration(node) && node.initializer && ts.isArrowFunction(node.initializer)) {
        const { type, body } = node.initializer;
        const isMaker = isError(type) || (ts.isNewExpression(body) && classes.has(body.expression.getText(tree)));
        if (isMaker) makers.add(node.name.getText(tree));
      }
    });
  }
  return { classes, makers };
}

/** What is thrown in src/ is an MmError, a ModelBug, or what was caught. Below cli/ no bare Error is even made, unless to wrap one. */
export function thrownErrors(known: ReturnType<typeof errorMakers>): Rule {
  const mayBeThrown = (thrown: ts.Expression): boolean => {
    if (ts.isParenthesizedExpression(thrown) || ts.isAsExpression(thrown)) return mayBeThrown(thrown.expression);
    if (ts.isConditionalExpression(thrown)) return mayBeThrown(thrown.whenTrue) && mayBeThrown(thrown.whenFalse);
    if (ts.isNewExpression(thrown)) return known.classes.has(thrown.expression.getText());
    if (ts.isCallExpression(thrown)) return known.makers.has(calledName(thrown));
    return ts.isIdentifier(thrown) && isCaught(thrown);
  };
  return (source) => {
    if (!source.path.startsWith('src/')) return [];
    const isCommandLine = source.path.startsWith('src/cli/'); // an AbortController's reason
    const found: string[] = [];
    visit(source.tree, (node) => {
      if (ts.isThrowStatement(node) && !mayBeThrown(node.expression)) {
        found.push(
          offence(source, node, `throws something else than MmError or ModelBug: ${node.expression.getText()}`),
        );
      }
      if (!isCommandLine && ts.isNewExpression(node) && isBareError(node)) {
        found.push(offence(source, node, `makes a bare ${node.expression.getText()}`));
      }
    });
    return [...new Set(found)];
  };
}

function isBareError(made: ts.NewExpression): boolean {
  if (!/^(Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error$/.test(made.expression.getText())) return false;
  const options = made.arguments?.[1];
  const wraps = options && ts.isObjectLiteralExpression(options) && options.properties.some(isCause);
  return wraps !== true;
}

function isCause(property: ts.ObjectLiteralElementLike): boolean {
  return property.name?.getText() === 'cause';
}

function calledName(call: ts.CallExpression): string {
  const callee = call.expression;
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
}

/** A catch clause's variable, or a parameter that is an `Error`: both were made elsewhere, under this same rule. */
function isCaught(name: ts.Identifier): boolean {
  let node: ts.Node = name;
  while (!ts.isSourceFile(node)) {
    if (ts.isCatchClause(node) && node.variableDeclaration?.name.getText() === name.text) return true;
    if (ts.isFunctionLike(node)) {
      const parameter = node.parameters.find((p) => p.name.getText() === name.text);
      if (parameter) return /^(Error|NodeJS\.ErrnoException)$/.test(parameter.type?.getText() ?? '');
    }
    node = node.parent;
  }
  return false;
}

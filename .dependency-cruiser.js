// Import direction, cycles and who may import whom. The order of the layers is in .layers.json.
import { readFileSync } from 'node:fs';

const { layers, typesFromAbove, mayUseNode, packagesThatNeedNode } = JSON.parse(
  readFileSync(new URL('./.layers.json', import.meta.url), 'utf8'),
);

/** Paths of one layer or several: `src/units.ts` as well as everything in `src/mm/`. */
const pathOf = (names) => `^src/(${names.join('|')})(\\.ts$|/)`;
const quote = (path) => `^${path.replaceAll('.', '\\.')}`;

const upward = layers.slice(0, -1).map((names, rank) => ({
  name: `arrows-${names.join('-')}`,
  comment: `${names.join(', ')}: import from the own layer or a lower one; answer the caller instead of calling up.`,
  severity: 'error',
  from: { path: pathOf(names) },
  to: {
    path: pathOf(layers.slice(rank + 1).flat()),
    pathNot: names.flatMap((name) => typesFromAbove[name] ?? []).map((path) => `${quote(path)}$`),
  },
}));

const typesOnly = Object.entries(typesFromAbove).map(([name, paths]) => ({
  name: `types-only-${name}`,
  comment: `${name}/ takes types from above, never code: write \`import type\`.`,
  severity: 'error',
  from: { path: pathOf([name]) },
  to: { path: paths.map((path) => `${quote(path)}$`), dependencyTypesNot: ['type-only'] },
}));

const belowNode = layers
  .slice(
    0,
    layers.findIndex((names) => names.includes(mayUseNode.fromLayer)),
  )
  .flat();
const noNode = {
  path: [pathOf(belowNode), '^policies/'],
  pathNot: mayUseNode.folders.map((path) => `${quote(path)}/`),
};

export default {
  forbidden: [
    ...upward,
    ...typesOnly,
    {
      name: 'no-cycles',
      comment:
        'Files that run each other in a circle have no order in which to load or read them. Types may: a vma knows its ' +
        'address space and the space its vmas, as in the kernel. Between folders the arrows forbid that too.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'policies-see-the-contract-only',
      comment: 'A policy imports src/policy/index.ts and nothing else, as a plug-in outside this repository does.',
      severity: 'error',
      from: { path: '^policies/' },
      to: { pathNot: '^src/policy/index\\.ts$' },
    },
    {
      name: 'the-contract-stands-alone',
      comment: 'src/policy is what plug-ins are compiled against: units.ts and itself.',
      severity: 'error',
      from: { path: '^src/policy/' },
      to: { pathNot: '^src/(policy/|units\\.ts$)' },
    },
    {
      name: 'policies-are-found-not-listed',
      comment: 'The engine loads policies/NAME.ts because the file is there; no source names one.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^policies/' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'sources-do-not-import-bench',
      severity: 'error',
      from: { path: '^(src|policies)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'the-front-door-is-for-guests',
      comment: 'src/index.ts is for programs that embed the model; inside, import the folder that has the thing.',
      severity: 'error',
      from: { path: '^(src|policies)/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'the-front-door-opens-no-command-line',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'one-composition-root',
      comment: 'src/engine/compose.ts is the only source that knows the container; plug-ins under test may.',
      severity: 'error',
      from: { path: '^(src|policies|bench)/', pathNot: '^src/engine/compose\\.ts$' },
      to: { path: 'node_modules/(inversify|reflect-metadata)/' },
    },
    {
      name: 'no-node-below-the-engine',
      comment: 'The model runs in a browser worker as well; only trace/readers and trace/writers use files.',
      severity: 'error',
      from: noNode,
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-node-packages-below-the-engine',
      severity: 'error',
      from: noNode,
      to: { path: `node_modules/(${packagesThatNeedNode.join('|')})/` },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies-in-the-package',
      severity: 'error',
      from: { path: '^(src|policies)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true, // `import type` points somewhere too
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

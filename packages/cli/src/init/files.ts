/** Files that `coldboot init` adds to a project: a configuration of the runner and a first test. */
import type { Project, Runner } from './project.ts'

/** A file to add. */
export interface NewFile {
  /** Relative to the project. */
  readonly path: string
  readonly text: string
}

/** Properties of a project that determine the added files. */
type Traits = Pick<Project, 'isModule' | 'isTypeScript' | 'names' | 'dependencies'>

/** Jest's transforms for TypeScript by package, the preferred one first. */
const TYPESCRIPT_TRANSFORMS: Readonly<Record<string, string>> = {
  'ts-jest': `transform: { '^.+\\\\.tsx?$': 'ts-jest' }`,
  '@swc/jest': `transform: { '^.+\\\\.[jt]sx?$': '@swc/jest' }`,
  // Jest's default transform uses the project's configuration of Babel.
  '@babel/preset-typescript': '',
}

/** Returns the configuration. In a CommonJS project, Vite warns unless the file name ends in `.mjs` or `.mts`. */
export function configurationFile(runner: Runner, project: Traits): NewFile {
  if (runner === 'vitest') {
    const extension = `${project.isModule ? '' : 'm'}${project.isTypeScript ? 'ts' : 'js'}`
    return { path: `vitest.config.${extension}`, text: VITEST_CONFIGURATION }
  }
  const transform = typeScriptTransform(project) ?? 'transform: {}'
  const options = [`preset: '@coldboot/jest'`, transform].filter((option) => option !== '').join(', ')
  const assigned = project.isModule ? 'export default' : 'module.exports ='
  return { path: 'jest.config.js', text: `${assigned} { ${options} }\n` }
}

/** Returns the test, in the project's test folder, else in `test`. */
export function testFile(runner: Runner, project: Traits): NewFile {
  const folder = ['test', 'tests', '__tests__'].find((name) => project.names.has(name)) ?? 'test'
  if (runner === 'vitest') {
    return { path: `${folder}/boot.test.${project.isTypeScript ? 'ts' : 'js'}`, text: VITEST_TEST }
  }
  const isTypeScript = typeScriptTransform(project) !== undefined
  const hasGlobals = !project.dependencies.has('@jest/globals')
  const names: [names: string, from: string][] = [['useVM', '@coldboot/jest']]
  if (!hasGlobals) names.push(['expect, test', '@jest/globals'])
  const imports = names.map(([bindings, from]) =>
    isTypeScript || project.isModule
      ? `import { ${bindings} } from '${from}'\n`
      : `const { ${bindings} } = require('${from}')\n`,
  )
  return { path: `${folder}/boot.test.${isTypeScript ? 'ts' : 'js'}`, text: `${imports.join('')}${JEST_TEST}` }
}

/** Whether Jest runs the test as an ES module, which needs a flag of Node. */
export function isModuleTest(runner: Runner, project: Project): boolean {
  return runner === 'jest' && project.isModule && typeScriptTransform(project) === undefined
}

/** Whether the project uses TypeScript, but no transform of Jest compiles it. */
export function lacksTransform(runner: Runner, project: Project): boolean {
  return runner === 'jest' && project.isTypeScript && typeScriptTransform(project) === undefined
}

function typeScriptTransform({ isTypeScript, dependencies }: Traits): string | undefined {
  if (!isTypeScript) return undefined
  return Object.entries(TYPESCRIPT_TRANSFORMS).find(([name]) => dependencies.has(name))?.[1]
}

const VITEST_CONFIGURATION = `import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [coldboot()] })
`

const VITEST_TEST = `import { expect, test } from '@coldboot/vitest'

test('greets on the serial console', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\\n')
  await expect(vm).toEventuallyPrint('hello-42')
})
`

const JEST_TEST = `
const vm = useVM()

test('greets on the serial console', async () => {
  vm().send('echo hello-$((40 + 2))\\n')
  await expect(vm()).toEventuallyPrint('hello-42')
})
`

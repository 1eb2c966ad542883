import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { initialize } from './init.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coldboot-init-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
})

function project(manifest: object, files: Readonly<Record<string, string>> = {}): void {
  for (const [path, text] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}
const read = (path: string): string => readFileSync(join(directory, path), 'utf8')
const withDependencies = (...names: string[]): object => ({
  devDependencies: Object.fromEntries(names.map((name) => [name, '*'])),
})

describe('with Vitest', () => {
  test('adds an .mjs configuration, a test and a line of .gitignore to an empty CommonJS project', () => {
    project({ type: 'commonjs' })
    expect(initialize(directory)).toBe(
      [
        'added    vitest.config.mjs',
        'added    test/boot.test.js',
        'added    .vitest/ to .gitignore',
        '',
        'Next:',
        '  npm install --save-dev @coldboot/vitest vitest',
        '  npx vitest run',
      ].join('\n'),
    )
    expect(read('vitest.config.mjs')).toContain('plugins: [coldboot()]')
    expect(read('test/boot.test.js')).toContain(`import { expect, test } from '@coldboot/vitest'`)
    expect(read('.gitignore')).toBe('.vitest/\n')
    expect(existsSync(join(directory, '.github'))).toBe(false)
  })

  test.for([
    [{ type: 'module' }, {}, 'vitest.config.js', 'test/boot.test.js'],
    [{}, { 'tsconfig.json': '{}' }, 'vitest.config.mts', 'test/boot.test.ts'],
    [{ type: 'module', ...withDependencies('typescript') }, {}, 'vitest.config.ts', 'test/boot.test.ts'],
    [{}, { 'tests/other.test.js': '' }, 'vitest.config.mjs', 'tests/boot.test.js'],
  ] as const)('the files of %j with %j are %s and %s', ([manifest, files, configuration, testFile]) => {
    project(manifest, files)
    initialize(directory)
    for (const path of [configuration, testFile]) expect(existsSync(join(directory, path)), path).toBe(true)
  })

  test('changes no existing file, and prints the remaining steps', () => {
    const files = {
      'vite.config.ts': '// mine',
      'test/boot.test.ts': '// mine',
      '.gitignore': 'dist\n/.vitest',
      '.github/workflows/machines.yml': '# mine',
    }
    project(withDependencies('@coldboot/vitest', 'vitest', 'typescript'), files)
    expect(initialize(directory, { ci: true }).split('\n')).toEqual([
      expect.stringMatching(/^kept {5}vite\.config\.ts: add plugins: \[coldboot\(\)\]/),
      'kept     test/boot.test.ts',
      'kept     .gitignore',
      'kept     .github/workflows/machines.yml',
      '',
      'Next:',
      '  npx vitest run',
    ])
    for (const [path, text] of Object.entries(files)) expect(read(path)).toBe(text)
    expect(existsSync(join(directory, 'vitest.config.mts'))).toBe(false)
  })

  test('adds a newline to a .gitignore whose last line lacks one', () => {
    project({}, { '.gitignore': 'dist' })
    initialize(directory)
    expect(read('.gitignore')).toBe('dist\n.vitest/\n')
  })
})

describe('with Jest', () => {
  test.for([
    [{}, {}, `module.exports = { preset: '@coldboot/jest', transform: {} }`, 'js', 'npx jest'],
    [
      { type: 'module' },
      {},
      `export default { preset: '@coldboot/jest', transform: {} }`,
      'js',
      'node --experimental-vm-modules node_modules/jest/bin/jest.js',
    ],
    [
      withDependencies('ts-jest', 'typescript'),
      {},
      `module.exports = { preset: '@coldboot/jest', transform: { '^.+\\\\.tsx?$': 'ts-jest' } }`,
      'ts',
      'npx jest',
    ],
    [
      withDependencies('@babel/preset-typescript', 'typescript'),
      { 'pnpm-lock.yaml': '' },
      `module.exports = { preset: '@coldboot/jest' }`,
      'ts',
      'pnpm exec jest',
    ],
  ] as const)(
    '%j with %j gets %s, a test in %s, and is told to run %s',
    ([manifest, files, text, language, command]) => {
      project(manifest, files)
      const said = initialize(directory, { runner: 'jest' })
      expect(read('jest.config.js')).toBe(`${text}\n`)
      expect(existsSync(join(directory, `test/boot.test.${language}`))).toBe(true)
      expect(said.split('\n').at(-1)).toBe(`  ${command}`)
    },
  )

  test('selects Jest in a project that uses it, and keeps its options in package.json', () => {
    project({ jest: {}, ...withDependencies('jest', '@jest/globals') })
    expect(initialize(directory)).toContain(`kept     package.json: add preset: '@coldboot/jest'`)
    expect(read('test/boot.test.js')).toBe(
      `const { useVM } = require('@coldboot/jest')
const { expect, test } = require('@jest/globals')

const vm = useVM()

test('greets on the serial console', async () => {
  vm().send('echo hello-$((40 + 2))\\n')
  await expect(vm()).toEventuallyPrint('hello-42')
})
`,
    )
  })

  test('adds a JavaScript test, with a note, to a TypeScript project without a transform', () => {
    project(withDependencies('jest', 'typescript'))
    expect(initialize(directory)).toMatch(/note .* Jest has no transform for TypeScript here/)
    expect(existsSync(join(directory, 'test/boot.test.js'))).toBe(true)
  })
})

test('requires --runner in a project that uses both runners', () => {
  project(withDependencies('jest', 'vitest'))
  expect(() => initialize(directory)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', hint: expect.stringContaining('--runner jest') as string }),
  )
  expect(existsSync(join(directory, '.gitignore'))).toBe(false)
})

test('refuses a folder without a package.json, or with an invalid one', () => {
  expect(() => initialize(directory)).toThrow(expect.objectContaining({ code: 'FILE_MISSING' }))
  writeFileSync(join(directory, 'package.json'), '{')
  expect(() => initialize(directory)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test.for([
  ['package-lock.json', ['npm ci', 'npx vitest run', 'cache: npm']],
  ['pnpm-lock.yaml', ['pnpm install --frozen-lockfile', 'pnpm exec vitest run', 'cache: pnpm', 'pnpm/action-setup']],
  ['yarn.lock', ['yarn install --immutable', 'yarn vitest run', 'cache: yarn', 'corepack enable']],
] as const)('the workflow of a project with %s uses its package manager', ([lock, parts]) => {
  project({}, { [lock]: '' })
  expect(initialize(directory, { ci: true })).toContain('added    .github/workflows/machines.yml')
  const workflow = read('.github/workflows/machines.yml')
  for (const part of [...parts, `hashFiles('${lock}')`, 'path: .vitest']) expect(workflow).toContain(part)
})

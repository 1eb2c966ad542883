/** Tests of a new installation: after `npm install`, the first test of each README passes on a host with only Node. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EmptyProject, makeNewcomer, type Newcomer } from './newcomer.ts'
import { PACKAGE_MANAGERS, runVitestBy } from './other-package-managers.ts'
import { type ReadmeStep, readmeSteps } from './readme-steps.ts'

const EXAMPLES = new URL('../../../examples/', import.meta.url)
const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, EXAMPLES)), 'utf8')
const VITEST = ['node_modules/vitest/vitest.mjs', 'run']
const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'boot.test.js']

const WHICH_ENGINE = `
import { expect, test } from '@coldboot/vitest'

test('uses the engine of the package', async ({ vm }) => {
  console.log(vm.commandLineQuoted)
  expect(vm.commandLine[0]).toMatch(/node_modules\\/@coldboot\\/qemu-linux-\\w+\\/bin\\/qemu-system-/)
})
`

let newcomer: Newcomer

beforeAll(async () => {
  newcomer = await makeNewcomer(['vitest', 'jest', '@jest/globals'])
  newcomer.write('vitest.config.ts', read('hello/vitest.config.ts'))
  newcomer.write('first.test.ts', read('hello/boot.test.ts').split('\n\n').slice(0, 2).join('\n\n'))
  newcomer.write('engine.test.ts', WHICH_ENGINE)
  newcomer.write('jest.config.js', read('jest/jest.config.js'))
  newcomer.write('boot.test.js', read('jest/boot.test.js'))
  newcomer.write('boot.ts', read('without-a-runner/boot.ts'))
}, 900_000)

afterAll(() => newcomer?.[Symbol.asyncDispose]())

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

describe.skipIf(process.platform !== 'linux')('a user without root, with Node alone on PATH', () => {
  test("passes README's first test, and again from the save, with the QEMU of the package", {
    timeout: 600_000,
  }, async () => {
    const first = await newcomer.node(...VITEST, 'first.test.ts')
    expect(first.exitCode, first.output).toBe(0)
    const second = await newcomer.node(...VITEST, 'first.test.ts', 'engine.test.ts')
    expect(second.exitCode, second.output).toBe(0)
    expect(second.output).toMatch(/Test Files +2 passed/)
    const { packed, installed } = newcomer.size
    console.log(`packed ${megabytes(packed)}, installed ${megabytes(installed)}`)
    console.log(`first run ${first.seconds.toFixed(1)} s, second run ${second.seconds.toFixed(1)} s`)
    expect(packed).toBeLessThan(60e6)
  })

  test("passes Jest's first test", { timeout: 300_000 }, async () => {
    const { exitCode, output } = await newcomer.node(...JEST)
    expect(exitCode, output).toBe(0)
  })

  test('runs a machine without a runner', { timeout: 300_000 }, async () => {
    const { exitCode, output } = await newcomer.node('--experimental-strip-types', 'boot.ts')
    expect(exitCode, output).toBe(0)
    expect(output).toMatch(/runs Linux [\d.]+[\s\S]*ended: guest-shutdown/)
  })
})

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('a root file system with Node alone', () => {
  test("passes README's first test", { timeout: 600_000 }, async () => {
    const { exitCode, output } = await newcomer.nodeInRoot(...VITEST, 'first.test.ts')
    expect(exitCode, output).toBe(0)
  })
})

describe.skipIf(process.platform !== 'linux')('followed literally in the project of `npm init -y`', () => {
  test.each([
    ['README.md', '## Your first test', /1 passed/],
    ['README.md', '## With Jest', /Tests: +1 passed/],
    ['packages/vitest/README.md', '# @coldboot/vitest', /1 passed/],
    ['packages/jest/README.md', '# @coldboot/jest', /Tests: +1 passed/],
    ['packages/core/README.md', '# @coldboot/core', /runs Linux [\d.]+[\s\S]*ended: guest-shutdown/],
  ])('%s, %s', { timeout: 300_000 }, async (page, heading, outcome) => {
    const steps = readmeSteps(page, heading)
    // Pages with the same steps share a result. A retry after a failure runs the steps again.
    const key = JSON.stringify(steps)
    const { problems, output } = followed.get(key) ?? (await followInNewProject(steps))
    expect(problems).toEqual([])
    followed.set(key, { problems, output })
    expect(output).toMatch(outcome)
  })
})

/** Steps as JSON → their result, for steps without problems. */
const followed = new Map<string, Followed>()

async function followInNewProject(steps: readonly ReadmeStep[]): Promise<Followed> {
  using project = newcomer.emptyProject()
  return await follow(project, steps)
}

/** Sort key of a step: installation and `init` first, then files, then the commands that need the files. */
function rank(step: ReadmeStep): number {
  if (step.kind === 'file') return 1
  return step.words[0] === 'npm' || step.words[2] === 'init' ? 0 : 2
}

/** Result of the steps of a page. */
interface Followed {
  readonly problems: readonly string[]
  /** Output of the last command. */
  readonly output: string
}

async function follow(project: EmptyProject, steps: readonly ReadmeStep[]): Promise<Followed> {
  const problems: string[] = []
  let last = ''
  // A page may show the files after the commands that need them.
  for (const step of steps.toSorted((a, b) => rank(a) - rank(b))) {
    if (step.kind === 'file') {
      const existing = project.read(step.path)
      if (existing === undefined) project.write(step.path, step.text)
      else if (existing !== step.text) problems.push(`${step.path} is ${existing}`)
      continue
    }
    const [program, ...args] = step.words
    if (program === 'npm') {
      const names = args.filter((word) => word !== 'install' && !word.startsWith('-'))
      problems.push(...names.filter((name) => !project.has(name)).map((name) => `${name} is not installed`))
      continue
    }
    const command = program === 'npx' ? [`node_modules/.bin/${args[0]}`, ...args.slice(1)] : args
    const { exitCode, output } = await project.node(...command)
    if (exitCode !== 0) problems.push(`${step.words.join(' ')}: exit code ${exitCode}\n${output}`)
    last = output
  }
  return { problems, output: last }
}

describe.skipIf(process.platform !== 'linux')('a project of another package manager', () => {
  test.each(PACKAGE_MANAGERS.map((manager) => [manager.title, manager] as const))(
    "passes README's first test by %s",
    { timeout: 600_000 },
    async (_, manager) => {
      const { exitCode, output } = await runVitestBy(newcomer, manager, {
        'vitest.config.ts': read('hello/vitest.config.ts'),
        'boot.test.ts': read('hello/boot.test.ts').split('\n\n').slice(0, 2).join('\n\n'),
      })
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(/Tests +1 passed/)
      expect(output).not.toContain('Error:')
    },
  )
})

/** Runs Vitest with a compile cache for its workers. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'

const CACHE = 'NODE_COMPILE_CACHE'

let project: InstalledProject
beforeAll(() => {
  project = installProject('compiled')
})
afterAll(() => project[Symbol.dispose]())

async function printed(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<readonly (string | undefined)[]> {
  const { output, exitCode } = await project.run(args, { [CACHE]: undefined, ...env })
  expect(exitCode, output).toBe(0)
  return /cache: (.*), variable: (.*)/.exec(output)?.slice(1) ?? []
}

test('the workers keep compiled modules in the cache folder of Vite', async () => {
  const [cache = '', variable] = await printed({})
  expect(cache).toMatch(new RegExp(`^${project.root}/node_modules/\\.vite/vitest/.*/coldboot-compiled/`))
  expect(readdirSync(cache).length).toBeGreaterThan(50)
  expect(variable).toBe('undefined')
})

test.each(['--pool=threads', '--pool=vmForks', '--pool=vmThreads', '--no-isolate'])(
  'programs that a test starts do not use the cache, with %s',
  async (option) => {
    const [, variable] = await printed({}, option)
    expect(variable).toBe('undefined')
  },
)

test('a cache of the user is kept, also for child processes', async () => {
  const own = join(project.root, 'own')
  const [cache, variable] = await printed({ [CACHE]: own })
  expect(cache).toMatch(new RegExp(`^${own}/`))
  expect(variable).toBe(own)
})

test('Node can be told not to use one', async () => {
  expect(await printed({ NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual(['undefined', 'undefined'])
})

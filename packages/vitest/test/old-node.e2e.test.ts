import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Module that changes the version of Node to an old one. Loaded before an entry. */
const OLD = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`
const MESSAGE = 'This is Node 20.20.2, and coldboot needs 22.12 or newer'

const ENTRIES = [
  'core/bundle/index.js',
  'core/bundle/internal.js',
  'guest/bundle/index.js',
  'matchers/bundle/index.js',
  'report/bundle/index.js',
  'runner/bundle/index.js',
  'vitest/bundle/plugin.js',
  'vitest/bundle/reporter.js',
  'jest/bundle/environment.js',
  'jest/bundle/reporter.js',
]

function withOldNode(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', OLD, ...args], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

/** Program that loads each entry in a thread with an old version of Node, and prints the error. */
const LOAD = `
  import { once } from 'node:events'
  import { Worker } from 'node:worker_threads'
  const [old, ...entries] = process.argv.slice(1)
  const load = "const { old, entry } = require('node:worker_threads').workerData; import(old).then(() => import(entry))"
  for (const entry of entries) {
    const worker = new Worker(load, { eval: true, execArgv: [], workerData: { old, entry } })
    const [error] = await once(worker, 'error')
    console.log(entry, String(error))
  }`

test('each entry names the Node that is needed', () => {
  const paths = ENTRIES.map((entry) => fileURLToPath(new URL(`../../${entry}`, import.meta.url)))
  const { status, output } = withOldNode('--input-type=module', '--eval', LOAD, OLD, ...paths)
  expect(output.match(/^.* StartError: .*$/gm)).toEqual(paths.map((path) => `${path} StartError: ${MESSAGE}`))
  expect(status).toBe(0)
})

test('a run of Vitest names the Node that is needed', () => {
  const root = fileURLToPath(new URL('projects/passing', import.meta.url))
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
  const { status, output } = withOldNode(vitest, 'run', '--root', root)
  expect(output).toContain(MESSAGE)
  expect(status).toBe(1)
})

test.each([['doctor'], ['templates'], ['--help']])(
  'coldboot %s names the Node that is needed, without a stack',
  (command) => {
    const path = fileURLToPath(new URL('../../cli/bundle/run.js', import.meta.url))
    const { status, output } = withOldNode(path, command)
    expect(output).toContain(`coldboot: ${MESSAGE}\nInstall a newer Node.js`)
    expect(output).not.toMatch(/^\s+at /m)
    expect(status).toBe(1)
  },
)

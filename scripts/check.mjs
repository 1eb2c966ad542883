// @ts-check
/**
 * `npm run check`: all static checks. Each part prints one line, and its whole output if it fails.
 */
import { join } from 'node:path'
import { checkApiReports } from './api-reports.mjs'
import { checkPackages } from './check-packages.mjs'
import { endOnSignals, interrupted, run, StepError } from './commands.mjs'
import { ROOT } from './setup.mjs'

const bin = (/** @type {string} */ name) => join(ROOT, 'node_modules', '.bin', name)
const tool = (/** @type {string[]} */ ...command) => run(command, { env: process.env, cwd: ROOT })

/** @type {string[]} */
const failed = []

/** @param {string} title @param {() => Promise<unknown>} work */
async function part(title, work) {
  const start = performance.now()
  const seconds = () => `(${((performance.now() - start) / 1000).toFixed(1)} s)`
  try {
    await work()
    console.log(`✓ ${title} ${seconds()}`)
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    console.log(`✗ ${title} ${seconds()}\n\n${error.message}\n`)
    failed.push(title)
  }
}

endOnSignals()
await Promise.all([
  part('format: biome', () => tool(bin('biome'), 'check', '--error-on-warnings')),
  part('types: tsc -b', () => tool(bin('tsc'), '-b')),
])
// These checks read the output of the compiler.
await Promise.all([
  part('site: typedoc, links', () => tool(process.execPath, join('site', 'build.mjs'))),
  part('lint: oxlint, import borders', () => tool(bin('oxlint'), '--deny-warnings')),
  part('unused code and dependencies: knip', () => tool(bin('knip'), '--no-progress', '--no-config-hints')),
  part('packages: publint, are the types wrong', checkPackages),
  part('public surface: reports in api/', checkApiReports),
])
console.log(failed.length === 0 ? '\nAll checks pass.' : `\nFailed: ${failed.join('; ')}`)
process.exitCode = interrupted() ?? (failed.length === 0 ? 0 : 1)

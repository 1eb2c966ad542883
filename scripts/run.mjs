// @ts-check
/**
 * Entry of `npm run demo`, `npm test`, `npm run check`, `npm run fix`, `npm run site`, `npm run bench`, `pnpm chaos`,
 * `pnpm pack:all` and `npm run pack:release`. Runs the setup, then the task. Passes other arguments to the tool, for example
 * `npm test -- packages/core -t panic`.
 */
import { join } from 'node:path'
import { endOnSignals, interrupted, runInForeground, StepError } from './commands.mjs'
import { ROOT, setUp } from './setup.mjs'
import { summarize } from './summary.mjs'

const DEMO = join(ROOT, 'examples', 'hello')
/** Path of the JSON report of a test run. */
const RESULTS = join(ROOT, '.vitest', 'results.json')
const VITEST = join('node_modules', 'vitest', 'vitest.mjs')

/** Tools that tests use as a reference, and QEMU for a second architecture. */
const TEST_TOOLS = /** @type {const} */ ([
  'busybox',
  'mtools',
  'dosfstools',
  'tcpdump',
  'qemu-img',
  'qemu-aarch64',
  'ovmf',
  'aavmf',
  'qemu-guest-agent',
  'debootstrap',
  'e2fsprogs',
  'build-essential',
  'chromium',
  'gdb',
  'dnsmasq',
  'python3-libkdumpfile',
  'libfaketime',
  'swtpm',
])

/** @type {Readonly<Record<string, (args: string[]) => Promise<number>>>} */
const tasks = {
  async demo(args) {
    const { node, env } = await setUp({ build: true, machines: true })
    console.log()
    return runInForeground([node, VITEST, 'run', ...args], { env, cwd: DEMO })
  },
  test(args) {
    return summarize(RESULTS, () =>
      explained(async () => {
        const { node, env } = await setUp({ build: true, tools: TEST_TOOLS, machines: true })
        console.log()
        const isChosen = args.some((arg) => arg.startsWith('--reporter'))
        const reporters = [
          ...(isChosen ? [] : ['--reporter=default']),
          '--reporter=json',
          `--outputFile.json=${RESULTS}`,
        ]
        return runInForeground([node, VITEST, 'run', ...reporters, ...args], { env, cwd: ROOT })
      }),
    )
  },
  async check(args) {
    const { node, env } = await setUp({})
    return runInForeground([node, join('scripts', 'check.mjs'), ...args], { env, cwd: ROOT })
  },
  async chaos(args) {
    const { node, env } = await setUp({ build: true, tools: ['libfaketime'], machines: true })
    const flags = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
    return runInForeground([node, ...flags, join('chaos', 'chaos.ts'), ...args], { env, cwd: ROOT })
  },
  async pack(args) {
    const { node, env } = await setUp({ build: true })
    return runInForeground([node, join('scripts', 'pack-all.mjs'), ...args], { env, cwd: ROOT })
  },
  async site(args) {
    const { node, env } = await setUp({ build: true })
    return runInForeground([node, join('site', 'build.mjs'), ...args], { env, cwd: ROOT })
  },
  async bench(args) {
    const { node, env } = await setUp({ build: true, machines: true })
    return runInForeground([node, join('scripts', 'bench.mjs'), ...args], { env, cwd: ROOT })
  },
  async 'pack-release'(args) {
    const { node, env } = await setUp({ build: true })
    return runInForeground([node, join('scripts', 'pack-release.mjs'), ...args], { env, cwd: ROOT })
  },
  async fix(args) {
    const { node, env } = await setUp({ build: true })
    const bin = (/** @type {string} */ name) => join(ROOT, 'node_modules', '.bin', name)
    // Problems that lint cannot fix are reported by `check`.
    await runInForeground([bin('oxlint'), '--fix', '--silent', ...args], { env, cwd: ROOT })
    await runInForeground([node, join('scripts', 'api-reports.mjs')], { env, cwd: ROOT })
    return runInForeground([bin('biome'), 'check', '--write', ...args], { env, cwd: ROOT })
  },
}

/**
 * Prints the error of `work` instead of throwing it.
 * @param {() => Promise<number>} work @returns {Promise<number>} its exit code, or 1
 */
function explained(work) {
  return work().catch((/** @type {unknown} */ error) => {
    console.error(error instanceof StepError ? `\n${error.message}` : error)
    return 1
  })
}

const [name = '', ...args] = process.argv.slice(2)
const task = tasks[name]
if (task === undefined) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(tasks).join('|')} [arguments]`)
  process.exit(2)
}
endOnSignals()
const code = await explained(() => task(args))
process.exitCode = interrupted() ?? code

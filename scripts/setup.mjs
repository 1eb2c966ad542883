// @ts-check
/**
 * Prepares a fresh host in steps, which are skipped if already done: tools of the host, Node, the dependencies, the build, the
 * packages of QEMU and of the guest. Runs on Node 20 without dependencies.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, StepError } from './commands.mjs'
import { canPack, debianPackages, installAdvice, missingTools, thisHost } from './host-tools.mjs'
import { step } from './progress.mjs'

/** Root folder of the workspace. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** The oldest version of Node that the packages and their tests support. */
const OLDEST_NODE = [22, 12]
/** Versions to download if Node is older or pnpm is missing: the newest of these major versions. */
const NODE = 'node@24'
const PNPM = 'pnpm@12'
/** Folder for results of earlier runs. Part of node_modules, so that it is deleted with it. */
const MEMORY = join(ROOT, 'node_modules', '.cache', 'coldboot')

/**
 * @typedef {{ node: string, env: NodeJS.ProcessEnv }} Toolchain path of Node, and an environment whose PATH starts with
 *   Node and pnpm
 */

/**
 * Runs the steps in `needs`, and always those for Node and the dependencies.
 * @param {{ build?: boolean, tools?: readonly import('./host-tools.mjs').Tool[], machines?: boolean }} needs `tools` are
 *   optional tools of the host; `machines` provides QEMU and a guest, from Debian packages without root if possible, else from
 *   the host
 * @returns {Promise<Toolchain>}
 */
export async function setUp({ build = false, tools = [], machines = false }) {
  const host = thisHost(environmentWith())
  const packs = machines && canPack(host)
  // Comes before the downloads, because it can fail.
  if (machines && !packs) await installTools(['qemu', 'busybox'], { isRequired: true })
  if (tools.length > 0) await installTools(tools, { isRequired: false })
  const toolchain = await prepareNode()
  await installDependencies(toolchain)
  if (build) await buildPackages(toolchain)
  if (packs) await packMachines(toolchain)
  else if (machines) await prepareGuest(toolchain)
  return toolchain
}

/** @param {readonly import('./host-tools.mjs').Tool[]} tools @param {{ isRequired: boolean }} options */
async function installTools(tools, { isRequired }) {
  const env = environmentWith()
  const host = thisHost(env)
  const missing = missingTools(tools, host)
  const packages = debianPackages(missing, host)
  const isOurs = missing.length > 0 && host.isRoot && host.find('apt-get') !== undefined
  await step(isOurs ? `apt-get install ${packages.join(' ')}` : tools.join(', '), async (report) => {
    if (missing.length === 0) return tools.join(', ')
    if (!isOurs) {
      const advice = `Missing on this machine: ${missing.join(', ')}. ${installAdvice(missing, host)}`
      if (isRequired) throw new StepError(advice)
      return `${advice}\n  The tests that need them are skipped, or fail and name them.`
    }
    const apt = (/** @type {string[]} */ ...args) =>
      run(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        report,
      })
    const install = () => apt('install', '-y', '--no-install-recommends', ...packages)
    if (await isInLists(packages, env)) {
      // The package lists may be so old that the archive no longer contains their files.
      await install().catch(() => apt('update').then(install))
    } else {
      await apt('update').then(install)
    }
    return tools.join(', ')
  })
}

/** Whether apt's lists have a version of each package. @param {string[]} packages @param {NodeJS.ProcessEnv} env */
async function isInLists(packages, env) {
  const output = await run(['apt-cache', 'policy', ...packages], { env: { ...env, LC_ALL: 'C' } })
  const candidates = output.match(/^ {2}Candidate: (?!\(none\))/gm) ?? []
  return candidates.length === packages.length
}

/** @returns {Promise<Toolchain>} */
async function prepareNode() {
  const present = process.versions.node
  if (isNewEnough(present)) {
    await step('Node', async () => `Node ${present}`)
    return { node: process.execPath, env: environmentWith() }
  }
  let folder = ''
  await step(`Node ${OLDEST_NODE.join('.')} or newer by npx (this one is ${present})`, async (report) => {
    const known = recall('node.json')
    if (known && ['node', 'pnpm'].every((name) => existsSync(join(known['folder'] ?? '', name)))) {
      folder = known['folder'] ?? ''
      return `Node ${known['version']} by npx`
    }
    const command = ['npx', '-y', '-p', NODE, '-p', PNPM, '-c', 'command -v node && node --version']
    const output = await run(command, { env: environmentWith(), cwd: ROOT, report })
    const [path = '', version = ''] = output.trim().split('\n').slice(-2)
    // npm does not install the program if it refuses to run install scripts.
    if (!isNewEnough(version.slice(1)))
      throw new StepError(`npx could not install ${NODE}. Install it from nodejs.org.`)
    folder = dirname(path)
    remember('node.json', { folder, version: version.slice(1) })
    return `Node ${version.slice(1)} by npx`
  })
  return { node: join(folder, 'node'), env: environmentWith(folder) }
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** @param {string} [folder] first folder of PATH @returns {NodeJS.ProcessEnv} */
function environmentWith(folder) {
  // Tools such as fsck.fat are in sbin, which is not always on PATH.
  const PATH = [folder, process.env['PATH'], '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter)
  // Removes the options of an outer npx.
  const { npm_config_call: _call, npm_config_package: _package, ...rest } = process.env
  return { ...rest, PATH }
}

/** @param {Toolchain} toolchain */
async function installDependencies({ env }) {
  await step('dependencies: pnpm install', async (report) => {
    const wanted = fingerprint()
    const isInstalled = existsSync(join(ROOT, 'node_modules', '.modules.yaml'))
    if (isInstalled && recall('dependencies.json')?.['fingerprint'] === wanted) return 'dependencies'
    // Without a terminal, pnpm cannot ask before it replaces the node_modules of another system, and would fail.
    const options = ['--frozen-lockfile', '--config.confirmModulesPurge=false']
    await run([...(await pnpmCommand(env)), 'install', ...options], { env, cwd: ROOT, report })
    remember('dependencies.json', { fingerprint: wanted })
    return 'dependencies'
  })
}

/**
 * The command that runs pnpm: `pnpm`, or npx if it is missing or has another major version.
 * @param {NodeJS.ProcessEnv} env @returns {Promise<string[]>}
 */
export async function pnpmCommand(env) {
  const version = await run(['pnpm', '--version'], { env, cwd: ROOT }).catch(() => '')
  return version.startsWith(`${PNPM.split('@')[1]}.`) ? ['pnpm'] : ['npx', '-y', '-p', PNPM, '--', 'pnpm']
}

/** A hash of everything that determines the installed dependencies. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  const folders = ['packages', 'examples'].flatMap((parent) => foldersIn(parent).map((name) => join(parent, name)))
  const manifests = ['', ...folders].map((folder) => join(folder, 'package.json'))
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    if (existsSync(join(ROOT, file))) hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** @param {Toolchain} toolchain */
async function buildPackages({ node, env }) {
  await step('build: tsc -b', async () => {
    const projects = foldersIn('packages')
      .map((name) => join('packages', name))
      .filter((folder) => existsSync(join(ROOT, folder, 'tsconfig.json')))
    // Always runs the compiler, which takes 50 ms if nothing changed.
    await run([node, join('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects], { env, cwd: ROOT })
    return 'build'
  })
}

/**
 * Builds the packages of QEMU and of the guest for this host, in their folders of the workspace.
 * @param {Toolchain} toolchain
 */
async function packMachines({ node, env }) {
  await step('packages of QEMU, from Debian', (report) =>
    run([node, join('scripts', 'pack-qemu.mjs')], { env, cwd: ROOT, report }).then((output) => output.trim()),
  )
  await step('packages of the guest, from Debian', (report) =>
    run([node, join('scripts', 'pack-guest.mjs')], { env, cwd: ROOT, report }).then((output) => output.trim()),
  )
}

/** @param {Toolchain} toolchain */
async function prepareGuest({ node, env }) {
  await step('the kernel of the guest', (report) =>
    run([node, join('scripts', 'prepare-guest.mjs')], { env, cwd: ROOT, report }).then((output) => output.trim()),
  )
}

/** @param {string} parent @returns {string[]} */
function foldersIn(parent) {
  if (!existsSync(join(ROOT, parent))) return []
  const entries = readdirSync(join(ROOT, parent), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

/** @param {string} name @returns {Record<string, string> | undefined} */
function recall(name) {
  try {
    return JSON.parse(readFileSync(join(MEMORY, name), 'utf8'))
  } catch {
    return undefined
  }
}

/** @param {string} name @param {Record<string, string>} value */
function remember(name, value) {
  mkdirSync(MEMORY, { recursive: true })
  writeFileSync(join(MEMORY, name), `${JSON.stringify(value)}\n`)
}

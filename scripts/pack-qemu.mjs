// @ts-check
/**
 * Builds the packages of QEMU from Debian packages. Needs apt and Debian's keyring, but not root. Reuses the result of an
 * earlier run with the same scripts, unless `--fresh` is given. Prints the versions at the end.
 *
 * Run: node scripts/pack-qemu.mjs [NAME...] [--all] [--fresh], by default for the package of this host.
 */
import { parseArgs } from 'node:util'
import { StepError } from './commands.mjs'
import { openDebian } from './pack/debian.mjs'
import { DebianFiles } from './pack/debian-files.mjs'
import { contentKey, readManifest } from './pack/package-content.mjs'
import { packageFolder, provideContent, withScratch } from './pack/provide-content.mjs'
import { gatherQemu } from './pack/qemu-content.mjs'
import { HOSTS, PINS, QEMU_PACKAGES, SUITES } from './pack/qemu-packages.mjs'

/** @typedef {(typeof QEMU_PACKAGES)[string]} QemuPackage */

const SCRIPTS = [
  ...['debian', 'debian-files', 'elf', 'firmware', 'package-content', 'qcow2', 'qemu-content', 'qemu-packages'].map(
    (name) => `pack/${name}.mjs`,
  ),
  '../packages/qemu/launcher/bin/manifest.json',
].map((path) => new URL(path, import.meta.url))

/** @param {readonly string[]} names @param {boolean} fresh @returns {Promise<string[]>} a line per package */
async function packQemu(names, fresh) {
  const packages = names.map((name) => {
    const spec = QEMU_PACKAGES[name]
    if (spec) return { name, spec, key: contentKey(SCRIPTS, [JSON.stringify([name, spec])]) }
    throw new StepError(`Unknown package ${name}. The packages are ${Object.keys(QEMU_PACKAGES).join(', ')}.`)
  })
  for (const [host, ofHost] of Map.groupBy(packages, ({ spec }) => spec.host)) {
    await withScratch(async (scratch) => {
      /** @type {Promise<DebianFiles> | undefined} */
      let debian
      for (const { name, spec, key } of ofHost) {
        await provideContent({ name, key, fresh }, async () => {
          debian ??= openFiles(host, scratch)
          console.error(`${name}: unpacking`)
          return gatherQemu(await debian, spec)
        })
      }
    })
  }
  return names.map((name) => {
    const { debian = {}, files = {} } = readManifest(packageFolder(name)) ?? {}
    const version = Object.entries(debian).find(([part]) => part.startsWith('qemu-system-'))?.[1]
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0)
    return `${name}: QEMU ${version}, ${(bytes / 1e6).toFixed(0)} MB`
  })
}

/** @param {string} host @param {string} scratch */
async function openFiles(host, scratch) {
  const debian = await openDebian({
    directory: scratch,
    architecture: HOSTS[host]?.debian ?? host,
    suites: SUITES,
    pins: PINS,
    report: (line) => console.error(line),
  })
  return new DebianFiles(debian, `${scratch}/files`)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, fresh: { type: 'boolean', default: false } },
})
const all = Object.keys(QEMU_PACKAGES)
const ofThisHost = all.filter((name) => name === `qemu-${process.platform}-${process.arch}`)
const named = positionals.length > 0 ? positionals : ofThisHost
try {
  const lines = await packQemu(values.all ? all : named, values.fresh)
  console.log(lines.join('\n') || `There is no package of QEMU for ${process.platform} ${process.arch}`)
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

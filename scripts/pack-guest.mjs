// @ts-check
/**
 * Builds the packages of the guest from Debian packages. Needs apt, dpkg and Debian's keyring, but not root. Reuses the result
 * of an earlier run with the same scripts, unless `--fresh` is given. Prints the kernels at the end.
 *
 * Run: node scripts/pack-guest.mjs [NAME...] [--all] [--fresh], by default for the package of this host.
 */
import { parseArgs } from 'node:util'
import { hostArchitecture } from '@coldboot/core/internal'
import { GUEST_ARCHITECTURES } from '../packages/guest/dist/architectures.js'
import { StepError } from './commands.mjs'
import { GUEST_SOURCES, gatherGuest } from './pack/guest-content.mjs'
import { contentKey, readManifest } from './pack/package-content.mjs'
import { packageFolder, provideContent, withScratch } from './pack/provide-content.mjs'

/** @typedef {keyof typeof GUEST_ARCHITECTURES} GuestArchitecture */

/** @type {ReadonlyMap<string, GuestArchitecture>} */
const PACKAGES = new Map(
  Object.keys(GUEST_ARCHITECTURES).map((arch) => [`guest-${arch}`, /** @type {GuestArchitecture} */ (arch)]),
)

/** @param {string} name @param {boolean} fresh @returns {Promise<string>} description of its kernel */
async function packGuest(name, fresh) {
  const arch = PACKAGES.get(name)
  if (arch === undefined)
    throw new StepError(`Unknown package ${name}. The packages are ${[...PACKAGES.keys()].join(', ')}.`)
  await provideContent({ name, key: contentKey(GUEST_SOURCES, [arch]), fresh }, () =>
    withScratch((scratch) => gatherGuest({ arch, scratch, report: (line) => console.error(line) })),
  )
  const { debian = {}, files = {} } = readManifest(packageFolder(name)) ?? {}
  const [kernel, version] = Object.entries(debian).find(([part]) => part.startsWith('linux-image-')) ?? []
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0)
  return `${name}: ${kernel} ${version}, ${(bytes / 1e6).toFixed(0)} MB`
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, fresh: { type: 'boolean', default: false } },
})
const ofThisHost = [...PACKAGES.keys()].filter((name) => name === `guest-${hostArchitecture()}`)
const named = positionals.length > 0 ? positionals : ofThisHost
try {
  const lines = []
  for (const name of values.all ? PACKAGES.keys() : named) lines.push(await packGuest(name, values.fresh))
  console.log(lines.join('\n') || `There is no guest package for ${process.arch}`)
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

// @ts-check
/**
 * Fills the guest packages, `packages/guest-<arch>`, from Debian's archive: without root, from any Debian.
 * `node scripts/pack-guest.mjs [arch...]`
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { GUEST_ARCHITECTURES } from '../packages/guest/dist/architectures.js'
import { StepError } from './commands.mjs'
import { packGuest } from './pack/guest.mjs'
import { step } from './progress.mjs'
import { ROOT } from './setup.mjs'

/** The packages that the runners' packages bring for a host of that architecture. */
const DEFAULTS = /** @type {const} */ (['x86_64', 'aarch64'])
const CACHE = join(process.env['COLDBOOT_CACHE'] || join(homedir(), '.cache', 'coldboot'), 'packing')

try {
  const asked = process.argv.slice(2)
  const unknown = asked.find((arch) => !Object.hasOwn(GUEST_ARCHITECTURES, arch))
  if (unknown !== undefined) throw new StepError(`There is no guest for ${unknown}`)
  const architectures = /** @type {(keyof typeof GUEST_ARCHITECTURES)[]} */ (asked.length > 0 ? asked : DEFAULTS)
  for (const arch of architectures) {
    const folder = join(ROOT, 'packages', `guest-${arch}`)
    await step(`packages/guest-${arch}`, async (report) => {
      const id = await packGuest({ arch, folder, cache: join(CACHE, `guest-${arch}`), report })
      return `packages/guest-${arch}: ${id}`
    })
  }
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

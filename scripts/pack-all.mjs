// @ts-check
/**
 * `pnpm pack:all`: writes the tarballs of all packages to `.packs/`, including those of QEMU and of the guest. Needs apt and
 * Debian's keyring, but not root. `--host` skips packages for other hosts and guests. `--gzip-level` is 9 by default.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run, StepError } from './commands.mjs'
import { generateContent, publishedFolders } from './pack/generated-content.mjs'
import { step } from './progress.mjs'
import { pnpmCommand, ROOT } from './setup.mjs'

const PACKS = join(ROOT, '.packs')
const GUEST_OF_HOST = /** @type {Readonly<Record<string, string>>} */ ({ x64: 'x86_64', arm64: 'aarch64' })

/** Packages for a certain host or guest. */
const SPECIAL = /^(?:qemu-linux|guest)-/

/**
 * @param {boolean} isForHost whether to pack only the packages that this host installs by default
 * @param {string} gzipLevel
 */
async function packAll(isForHost, gzipLevel) {
  const env = process.env
  const all = publishedFolders()
  const own = [`qemu-linux-${process.arch}`, `guest-on-${process.arch}`, `guest-${GUEST_OF_HOST[process.arch]}`]
  const names = isForHost ? all.filter((name) => !SPECIAL.test(name) || own.includes(name)) : all
  await generateContent(names, env)
  rmSync(PACKS, { recursive: true, force: true })
  const filters = names.map((name) => `--filter=./packages/${name}`)
  const pack = [
    ...(await pnpmCommand(env)),
    ...filters,
    'pack',
    '--pack-gzip-level',
    gzipLevel,
    '--pack-destination',
    PACKS,
  ]
  await step('pnpm pack', (report) => run(pack, { env, cwd: ROOT, report }).then(() => '.packs'))
  for (const file of readdirSync(PACKS).sort()) {
    console.log(`${(statSync(join(PACKS, file)).size / 1e6).toFixed(2).padStart(8)} MB  ${file}`)
  }
}

const { values } = parseArgs({
  options: { host: { type: 'boolean', default: false }, 'gzip-level': { type: 'string', default: '9' } },
})
try {
  await packAll(values.host, values['gzip-level'])
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

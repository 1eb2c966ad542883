// @ts-check
/**
 * `pnpm pack:all`: writes the tarballs of all packages to `.packs/`, including those of QEMU and of the guest. Needs apt and
 * Debian's keyring, but not root. `--host` skips packages for other hosts and guests.
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run, StepError } from './commands.mjs'
import { QEMU_PACKAGES } from './pack/qemu-packages.mjs'
import { step } from './progress.mjs'
import { pnpmCommand, ROOT } from './setup.mjs'

const PACKS = join(ROOT, '.packs')
const PACKAGES = join(ROOT, 'packages')
const GUEST_OF_HOST = /** @type {Readonly<Record<string, string>>} */ ({ x64: 'x86_64', arm64: 'aarch64' })

/** Packages whose content comes from Debian packages. */
const GENERATED = /^(?:qemu-linux-|guest-(?!on-))/
/** Packages of one kind of host or guest. */
const SPECIAL = /^(?:qemu-linux|guest)-/

/** @param {boolean} isForHost whether to pack only the packages that this host installs by default */
async function packAll(isForHost) {
  const env = process.env
  const all = readdirSync(PACKAGES).filter((name) => !isPrivate(name))
  const own = [`qemu-linux-${process.arch}`, `guest-on-${process.arch}`, `guest-${GUEST_OF_HOST[process.arch]}`]
  const names = isForHost ? all.filter((name) => !SPECIAL.test(name) || own.includes(name)) : all
  const engines = names.filter((name) => Object.hasOwn(QEMU_PACKAGES, name))
  const guests = names.filter((name) => GENERATED.test(name) && name.startsWith('guest-'))
  await step('packages of QEMU', (report) =>
    run([process.execPath, join('scripts', 'pack-qemu.mjs'), ...engines], { env, cwd: ROOT, report }),
  )
  await step('packages of the guest', (report) =>
    run([process.execPath, join('scripts', 'pack-guest.mjs'), ...guests], { env, cwd: ROOT, report }),
  )
  rmSync(PACKS, { recursive: true, force: true })
  const filters = names.map((name) => `--filter=./packages/${name}`)
  const pack = [...(await pnpmCommand(env)), ...filters, 'pack', '--pack-gzip-level', '9', '--pack-destination', PACKS]
  await step('pnpm pack', (report) => run(pack, { env, cwd: ROOT, report }).then(() => '.packs'))
  for (const file of readdirSync(PACKS).sort()) {
    console.log(`${(statSync(join(PACKS, file)).size / 1e6).toFixed(2).padStart(8)} MB  ${file}`)
  }
}

/** @param {string} name name of a folder @returns {boolean} */
function isPrivate(name) {
  return JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')).private === true
}

const { values } = parseArgs({ options: { host: { type: 'boolean', default: false } } })
try {
  await packAll(values.host)
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

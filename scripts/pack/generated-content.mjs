// @ts-check
/** Builds the content of the QEMU and guest packages in a list of packages. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../commands.mjs'
import { step } from '../progress.mjs'
import { ROOT } from '../setup.mjs'
import { QEMU_PACKAGES } from './qemu-packages.mjs'

const PACKAGES = join(ROOT, 'packages')
/** Packages of the guest whose content comes from Debian packages. */
const GUEST = /^guest-(?!on-)/

/** Folders of the packages that are published. @returns {string[]} */
export function publishedFolders() {
  return readdirSync(PACKAGES).filter((name) => readPackage(name).private !== true)
}

/** The package.json of a folder. @param {string} folder */
export function readPackage(folder) {
  return JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8'))
}

/** @param {readonly string[]} folders of packages, also of those without such content @param {NodeJS.ProcessEnv} env */
export async function generateContent(folders, env) {
  const engines = folders.filter((name) => Object.hasOwn(QEMU_PACKAGES, name))
  const guests = folders.filter((name) => GUEST.test(name))
  for (const [title, script, names] of /** @type {const} */ ([
    ['packages of QEMU', 'pack-qemu.mjs', engines],
    ['packages of the guest', 'pack-guest.mjs', guests],
  ])) {
    if (names.length === 0) continue
    await step(title, (report) =>
      run([process.execPath, join('scripts', script), ...names], { env, cwd: ROOT, report }),
    )
  }
}

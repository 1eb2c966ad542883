// @ts-check
/** Collects the licence texts of packages whose code is part of a bundle. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @param {readonly string[]} modules paths of the modules in a bundle
 * @returns {string} a section for each package with at least one of the modules
 */
export function thirdPartyLicenses(modules) {
  const folders = new Set(modules.filter((path) => path.includes('/node_modules/')).map((path) => packageFolder(path)))
  const sections = new Set([...folders].map((folder) => sectionOf(folder)))
  return [...sections].toSorted().join(`\n${'-'.repeat(80)}\n\n`)
}

/** The folder of the nearest manifest with a name, because some manifests have only a `type`. @param {string} path @returns {string} */
function packageFolder(path) {
  const folder = dirname(path)
  const manifest = join(folder, 'package.json')
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name !== undefined) return folder
  return packageFolder(folder)
}

/** @param {string} folder */
function sectionOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} has no licence`)
  return `${[`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n')}\n`
}

// @ts-check
/**
 * Publishes the release in `.packs/` with npm, in the order of `publish-plan.json`. Skips versions that npm already has, so that a
 * failed run can be repeated. Needs no dependencies.
 *
 * Run: node scripts/publish.mjs [--provenance] [--packs FOLDER]
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * @typedef {{ kind: string, name: string, version: string, access: string, tag: string,
 *   tarball: { path: string, integrity: string } }} Release
 */

const { values } = parseArgs({
  options: { provenance: { type: 'boolean', default: false }, packs: { type: 'string', default: '.packs' } },
})
/** @type {{ plan: Release[][] }} */
const { plan } = JSON.parse(readFileSync(join(values.packs, 'publish-plan.json'), 'utf8'))
for (const release of plan.flat()) {
  if (release.kind === 'publish' && !publish(release)) {
    process.exitCode = 1
    break
  }
}

/** @param {Release} release @returns {boolean} whether the version is on npm now */
function publish({ name, version, access, tag, tarball }) {
  const path = join(values.packs, tarball.path)
  const integrity = `sha256-${createHash('sha256').update(readFileSync(path)).digest('base64')}`
  if (integrity !== tarball.integrity) throw new Error(`${path} is not the file that was packed`)
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is on npm already`)
    return true
  }
  const provenance = values.provenance ? ['--provenance'] : []
  const { status } = spawnSync('npm', ['publish', path, '--access', access, '--tag', tag, ...provenance], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) console.error(`npm could not publish ${name}@${version}. Later packages were not published.`)
  return status === 0
}

/** @param {string} name @param {string} version */
function isPublished(name, version) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], { encoding: 'utf8' })
  if (status === 0) return stdout.trim() !== ''
  if (JSON.parse(stdout || '{}').error?.code === 'E404') return false
  throw new Error(`npm could not tell whether ${name}@${version} is published: ${stdout}`)
}

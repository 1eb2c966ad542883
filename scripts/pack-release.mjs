// @ts-check
/**
 * Packs a release into `.packs/`: the packages whose version is not on npm, and `publish-plan.json`, which lists them in the order
 * of their dependencies for `scripts/publish.mjs`. Each package.json names the repository, because npm compares it with the
 * provenance.
 *
 * Run: npm run pack:release -- --repository https://example.org/owner/name
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run, StepError } from './commands.mjs'
import { generateContent, publishedFolders, readPackage } from './pack/generated-content.mjs'
import { withRepository } from './pack/with-repository.mjs'
import { step } from './progress.mjs'
import { ROOT } from './setup.mjs'

const PACKS = join(ROOT, '.packs')
const PLAN = join(PACKS, 'publish-plan.json')
const changeset = [process.execPath, join(ROOT, 'node_modules', '@changesets', 'cli', 'bin.js')]

/** @param {string} repository its URL */
async function packRelease(repository) {
  const env = process.env
  const changesets = (/** @type {string[]} */ ...args) => run([...changeset, ...args], { env, cwd: ROOT })
  rmSync(PACKS, { recursive: true, force: true })
  await changesets('publish-plan', '--output', PLAN)
  const { plan } = JSON.parse(readFileSync(PLAN, 'utf8'))
  const names = plan.flat().map((/** @type {{ name: string }} */ { name }) => name)
  const folders = publishedFolders().filter((folder) => names.includes(readPackage(folder).name))
  await generateContent(folders, env)
  await withRepository(repository, folders, () =>
    step('changeset pack', async () => {
      await changesets('pack', '--from-publish-plan', PLAN, '--out-dir', PACKS)
      return names.join('\n  ')
    }),
  )
}

const { values } = parseArgs({ options: { repository: { type: 'string', default: '' } } })
try {
  if (!/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(values.repository))
    throw new StepError('`--repository` must be the URL of the repository: https://example.org/owner/name')
  await packRelease(values.repository)
} catch (error) {
  if (!(error instanceof StepError)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

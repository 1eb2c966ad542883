// @ts-check
/** Adds the repository to the package.json of packages while they are packed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../setup.mjs'

/**
 * Runs `work`, and restores the files afterwards.
 * @template Result
 * @param {string} repository its URL @param {readonly string[]} folders of packages @param {() => Promise<Result>} work
 */
export async function withRepository(repository, folders, work) {
  const files = folders.map((folder) => {
    const path = join(ROOT, 'packages', folder, 'package.json')
    return { path, folder, text: readFileSync(path, 'utf8') }
  })
  try {
    for (const { path, folder, text } of files) {
      const manifest = {
        ...JSON.parse(text),
        repository: { type: 'git', url: `git+${repository}.git`, directory: `packages/${folder}` },
      }
      writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)
    }
    return await work()
  } finally {
    for (const { path, text } of files) writeFileSync(path, text)
  }
}

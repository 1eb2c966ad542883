// @ts-check
/**
 * Provides the generated content of a package in its folder of the workspace. It is stored by its key in the cache of the
 * user, so that working copies share it. Incomplete content is never used.
 */
import { constants, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { ROOT } from '../setup.mjs'
import { hasContent, readManifest, writeContent } from './package-content.mjs'

/**
 * @typedef {Omit<Parameters<typeof writeContent>[1], 'key'>} Gathered
 */

/**
 * @param {{ name: string, key: string, fresh?: boolean }} package without its scope; `fresh` ignores stored content
 * @param {() => Promise<Gathered>} gather
 */
export async function provideContent({ name, key, fresh = false }, gather) {
  const folder = packageFolder(name)
  if (hasContent(folder, key) && !fresh) return
  const kept = join(readEnvironment().cacheDirectory, 'packages', `${name}-${key.slice(0, 16)}`)
  if (!hasContent(kept, key) || fresh) {
    mkdirSync(join(kept, '..'), { recursive: true })
    const made = mkdtempSync(`${kept}.`)
    try {
      await writeContent(made, { key, ...(await gather()) })
      rmSync(kept, { recursive: true, force: true })
      renameSync(made, kept)
    } finally {
      rmSync(made, { recursive: true, force: true })
    }
  }
  for (const path of Object.keys(readManifest(folder)?.files ?? {})) rmSync(join(folder, path), { force: true })
  cpSync(kept, folder, { recursive: true, mode: constants.COPYFILE_FICLONE })
}

/** Folder of a package of the workspace. @param {string} name without its scope */
export function packageFolder(name) {
  return join(ROOT, 'packages', name)
}

/**
 * Runs `work` with an empty folder, and removes it afterwards.
 * @template Result @param {(folder: string) => Promise<Result>} work
 */
export async function withScratch(work) {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-pack-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

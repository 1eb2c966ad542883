// @ts-check
/**
 * Bundles the packages in the given folders, by default all. Skips packages whose bundle is newer than the sources. `pnpm pack`
 * runs it for each package.
 */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundlePackage, isBundled } from './pack/bundle.mjs'
import { ROOT } from './setup.mjs'

/** @param {readonly string[]} folders of packages @default all */
export async function bundlePackages(folders = allFolders()) {
  for (const folder of folders) if (isBundled(folder)) await bundlePackage(folder)
}

function allFolders() {
  return readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name))
}

if (import.meta.main) {
  const named = process.argv.slice(2).map((folder) => resolve(folder))
  await bundlePackages(named.length > 0 ? named : undefined)
}

/**
 * Downloads the package of Debian's current cloud kernel to the cache. Its image is a bzImage, which UEFI also boots.
 */
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Cache, readEnvironment } from '@coldboot/core/internal'

const exec = promisify(execFile)
const METAPACKAGE = 'linux-image-cloud-amd64'

/** @returns path of the package */
export async function debianKernel(): Promise<string> {
  const cache = new Cache(readEnvironment().cacheDirectory)
  const { stdout } = await exec('apt-cache', ['depends', METAPACKAGE])
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
  if (name === undefined) throw new Error(`apt has no ${METAPACKAGE}: ${stdout}`)
  const folder = cache.path(`kernels/tests/${name}`)
  const found = () => globSync(join(folder, '*.deb'))[0]
  return cache.locked(`kernels/tests/${name}`, async () => {
    const present = found()
    if (present !== undefined) return present
    return cache.scratch(async (directory) => {
      const draft = join(directory, name)
      await mkdir(draft)
      // Run by root, apt would download as another user, who cannot enter the directory.
      await exec('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: draft })
      await rename(draft, folder)
      return found() ?? ''
    })
  })
}

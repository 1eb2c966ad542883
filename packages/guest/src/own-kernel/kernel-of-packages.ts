/**
 * Finds a kernel in Debian packages. Its unpacked files stay in the cache until the packages change, or until the kernel was not
 * used for a month.
 */
import { createHash } from 'node:crypto'
import { type Architecture, ColdbootError, OptionError } from '@coldboot/core'
import { type Cache, fileIdentity, requireFile } from '@coldboot/core/internal'
import { GUEST_ARCHITECTURES } from '../architectures.ts'
import { markUsed, RECORD, removeUnused } from '../cache-age.ts'
import type { OnGuestProgress } from '../progress.ts'
import { readStoredModules, type StoredKernel } from '../stored-kernel.ts'
import { type Kernel, OwnKernel } from './kernel.ts'

/** Version of the stored entries. Entries of another version are created again. */
const FORMAT = 1
const FOLDER = 'kernels/packages'

interface CachedPackages extends StoredKernel {
  readonly format: typeof FORMAT
  readonly arch: Architecture
}

/** Cache and progress callback. */
export interface PackageSurroundings {
  readonly cache: Cache
  readonly onProgress: OnGuestProgress
}

/** Implements `kernelOf` for `deb`. @throws OptionError, StartError as `kernelOf` */
export async function kernelOfPackages(
  debs: readonly string[],
  { cache, onProgress }: PackageSurroundings,
): Promise<Kernel> {
  const paths = debs.map((deb) => requireFile('kernelOf: deb', deb) ?? '')
  const identities = await Promise.all(paths.map(fileIdentity))
  const key = createHash('sha256').update(JSON.stringify(identities)).digest('hex').slice(0, 32)
  const record = `${FOLDER}/${key}${RECORD}`
  const kept = async (): Promise<CachedPackages | undefined> => {
    const kernel = (await cache.readJson(record)) as CachedPackages | undefined
    if (kernel?.format !== FORMAT) return undefined
    await markUsed(cache.path(record))
    const held = await Promise.all([kernel.image, kernel.modules].map((file) => cache.holds(file)))
    return held.every(Boolean) ? kernel : undefined
  }
  const make = async (): Promise<CachedPackages> => {
    const present = await kept()
    if (present !== undefined) return present
    await removeUnused(cache, FOLDER)
    const { storeKernel } = await import('../kernel-package-reader.ts')
    const arch = await architectureOf(paths[0] ?? '')
    const folder = `${FOLDER}/${key}`
    const stored = await storeKernel({ debs: paths, cache, folder, image: 'as-is', onProgress }).catch(
      (error: unknown) => {
        throw withoutKernel(error, paths)
      },
    )
    const kernel = { format: FORMAT, arch, ...stored } as const
    await cache.publish(record, JSON.stringify(kernel))
    return kernel
  }
  const kernel =
    (await kept()) ??
    (await cache.locked(record, make, () =>
      onProgress({ step: 'wait', message: 'Another process is unpacking the kernel' }),
    ))
  return new OwnKernel(kernel.arch, {
    id: `${kernel.release} ${key}`,
    release: kernel.release,
    image: cache.path(kernel.image.name),
    readModules: (wanted) => readStoredModules(cache, kernel, wanted, async () => paths),
  })
}

async function architectureOf(deb: string): Promise<Architecture> {
  const { readDebField } = await import('../dpkg-deb.ts')
  const name = await readDebField(deb, 'Architecture')
  const [arch] = Object.entries(GUEST_ARCHITECTURES).find(([, { debianName }]) => debianName === name) ?? []
  if (arch !== undefined) return arch as Architecture
  throw new OptionError(
    'INVALID_OPTION',
    `kernelOf: ${deb} is for the architecture ${name}, which machines do not have`,
  )
}

function withoutKernel(error: unknown, paths: readonly string[]): unknown {
  if (!ColdbootError.is(error) || !error.shortMessage.includes('contains no kernel')) return error
  return new OptionError('INVALID_OPTION', `kernelOf: \`deb\` has no kernel: ${paths.join(', ')}`, {
    hint: 'Pass a package such as linux-image-6.1.0-57-amd64: linux-image-amd64 only depends on it, and headers have none.',
  })
}

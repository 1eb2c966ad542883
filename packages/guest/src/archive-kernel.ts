/**
 * Kernels from Debian's archive. A kernel is downloaded once; the cache then contains its bootable image and an index of its
 * modules. The package is kept too, for modules that are rarely used: it has 70 MB, and its unpacked files 400 MB.
 */
import { rm } from 'node:fs/promises'
import { type Architecture, OptionError, StartError } from '@coldboot/core'
import { type Cache, fileSha256, type StoredFile } from '@coldboot/core/internal'
import type { Archive, ArchivePackage } from './apt.ts'
import { type Flavour, GUEST_ARCHITECTURES } from './architectures.ts'
import type { GuestKernel } from './guest-kernel.ts'
import type { OnGuestProgress } from './progress.ts'
import { damaged, readStoredModules, type StoredKernel } from './stored-kernel.ts'

/** Version of the stored entries. Entries of another version are created again. */
const FORMAT = 1

/** Description of a cached kernel, stored as JSON beside its files. */
interface CachedKernel extends StoredKernel {
  readonly format: typeof FORMAT
  /** `linux-image-6.1.0-56-amd64_6.1.192-2_amd64`: the package and its version. */
  readonly id: string
  readonly package: StoredFile
}

/** Input of {@link openArchiveKernel}. */
export interface KernelRequest {
  readonly arch: Architecture
  readonly flavour: Flavour
  readonly cache: Cache
  /** Download the archive's current kernel even if the cache contains one. */
  readonly refresh: boolean
  readonly onProgress: OnGuestProgress
}

/**
 * Returns the kernel of an architecture and flavour, from the cache or else from the archive.
 * @throws OptionError `INVALID_OPTION` when Debian has no such flavour for the architecture
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when it cannot be downloaded or read
 */
export async function openArchiveKernel(request: KernelRequest): Promise<GuestKernel> {
  const kernel = await findKernel(request)
  const { cache } = request
  return {
    id: kernel.id,
    release: kernel.release,
    image: cache.path(kernel.image.name),
    readModules: (wanted) => readStoredModules(cache, kernel, wanted, () => packageOf(cache, kernel)),
  }
}

async function findKernel(request: KernelRequest): Promise<CachedKernel> {
  const { arch, flavour, cache, refresh, onProgress } = request
  const metapackage = GUEST_ARCHITECTURES[arch].kernelPackages[flavour]
  if (metapackage === undefined) {
    throw new OptionError('INVALID_OPTION', `Debian has no kernel of the flavour '${flavour}' for ${arch}`, {
      hint: "Leave `flavour` out, or give 'generic'.",
    })
  }
  const record = `kernels/${arch}-${flavour}.json`
  const cached = await readCached(cache, record)
  if (cached && !refresh) return cached
  const make = async (): Promise<CachedKernel> => {
    const present = await readCached(cache, record)
    if (present && !refresh) return present
    const kernel = await fetchKernel(request, metapackage, present)
    await cache.publish(record, JSON.stringify(kernel))
    return kernel
  }
  return cache.locked(record, make, () =>
    onProgress({ step: 'wait', message: 'Another process is fetching the kernel' }),
  )
}

async function packageOf(cache: Cache, kernel: CachedKernel): Promise<readonly string[]> {
  const deb = cache.path(kernel.package.name)
  if ((await fileSha256(deb)) === kernel.package.sha256) return [deb]
  await rm(deb, { force: true })
  throw damaged(`The cached kernel package ${deb} was damaged`)
}

async function readCached(cache: Cache, record: string): Promise<CachedKernel | undefined> {
  const kernel = (await cache.readJson(record)) as CachedKernel | undefined
  if (kernel?.format !== FORMAT) return undefined
  const held = await Promise.all([kernel.image, kernel.package, kernel.modules].map((file) => cache.holds(file)))
  return held.every(Boolean) ? kernel : undefined
}

async function fetchKernel(
  { arch, cache, onProgress }: KernelRequest,
  metapackage: string,
  present: CachedKernel | undefined,
): Promise<CachedKernel> {
  const [{ openArchive }, { storeKernel }] = await Promise.all([
    import('./apt.ts'),
    import('./kernel-package-reader.ts'),
  ])
  const { debianName, image, hint } = GUEST_ARCHITECTURES[arch]
  return cache.scratch(async (scratch) => {
    onProgress({ step: 'resolve', message: `Looking up ${metapackage} for ${debianName}` })
    const archive = await openArchive(debianName, scratch)
    const found = await findKernelPackage(archive, metapackage, hint)
    const id = `${found.name}_${found.version}_${debianName}`.replace(/[^\w.+~-]/g, '_')
    if (present?.id === id) return present
    const deb = await downloadKernel(archive, found, onProgress)
    const parts = await storeKernel({ debs: [deb], cache, folder: `kernels/${id}`, image, onProgress })
    return { format: FORMAT, id, ...parts, package: await cache.adopt(`kernels/${id}/package.deb`, deb, found.sha256) }
  })
}

// The metapackage, such as linux-image-amd64, depends on the package of the current kernel, whose name contains its version.
async function findKernelPackage(archive: Archive, metapackage: string, hint?: string): Promise<ArchivePackage> {
  const { depends } = await archive.find(metapackage, hint)
  const name = depends.find((dependency) => /^linux-image-\d/.test(dependency))
  if (name !== undefined) return archive.find(name)
  throw new StartError(
    'GUEST_KERNEL_UNAVAILABLE',
    `The package ${metapackage} depends on no kernel: this is not Debian's`,
  )
}

async function downloadKernel(archive: Archive, found: ArchivePackage, onProgress: OnGuestProgress): Promise<string> {
  const message = `Downloading ${found.name} ${found.version} (${Math.round(found.sizeBytes / 1e6)} MB)`
  onProgress({ step: 'download', message })
  const path = await archive.download(found, (fraction) => onProgress({ step: 'download', message, fraction }))
  if ((await fileSha256(path)) === found.sha256) return path
  throw damaged(`The download of ${found.name} does not have the checksum in the archive's index`)
}

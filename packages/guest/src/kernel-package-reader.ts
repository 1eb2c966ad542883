/** Reads a kernel package once, and stores the files that a guest needs in the cache. */
import { OptionError, StartError } from '@coldboot/core'
import type { Cache } from '@coldboot/core/internal'
import { nodeCrypto } from '@coldboot/core/internal'
import type { GuestArchitecture } from './architectures.ts'
import { readDeb } from './dpkg-deb.ts'
import { type KernelModule, type ModuleIndex, moduleName, parseBuiltIn, readModule } from './modules.ts'
import { MODULE_FILE, unpackModule } from './own-kernel/unpack-module.ts'
import type { OnGuestProgress } from './progress.ts'
import type { StoredKernel } from './stored-kernel.ts'

/**
 * Modules that are always stored, because many guests load them. For another module, the package is read again, which takes
 * 3 s, the first time that it is requested.
 */
const OFTEN_WANTED: ReadonlySet<string> = new Set(
  `virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_mmio virtio_balloon virtio_console
   virtio_rng rng_core virtio_net net_failover failover virtio_blk virtio_scsi virtio_input virtiofs fuse
   vsock vmw_vsock_virtio_transport vmw_vsock_virtio_transport_common vmgenid pvpanic pvpanic_pci i6300esb
   9p 9pnet 9pnet_virtio netfs fscache vfat fat nls_cp437 nls_ascii nls_utf8 nls_iso8859_1
   scsi_mod scsi_common sd_mod sr_mod cdrom t10_pi crc_t10dif crct10dif_generic crct10dif_common crc64 crc64_rocksoft
   crc64_rocksoft_generic libata libahci ahci nvme nvme_core usbcore usb_common usb_storage uas xhci_hcd xhci_pci
   e1000 e1000e 8139cp 8139too mii ext4 jbd2 mbcache crc16 crc32c_generic libcrc32c crc32c_intel overlay loop squashfs
   isofs tun bridge stp llc veth af_packet`.split(/\s+/),
)

/** A file of a kernel package that a guest needs. */
export interface KernelFile {
  readonly kind: 'image' | 'module' | 'built-in'
  /** As in `uname -r`. */
  readonly release: string
  /** Path of a module in the index. */
  readonly path: string
  /** The content, unpacked. */
  read(): Promise<Uint8Array>
}

/** Calls `visit` for each of these files, in the order of the package. @throws StartError `GUEST_KERNEL_UNAVAILABLE` */
export async function readKernelPackage(deb: string, visit: (file: KernelFile) => Promise<void>): Promise<void> {
  await readDeb(deb, async (member) => {
    if (member.type !== 'file') return
    const [, imageRelease] = /^boot\/vmlinu[xz]-(.+)$/.exec(member.path) ?? []
    const [, release, path] = /^(?:usr\/)?lib\/modules\/([^/]+)\/(.+)$/.exec(member.path) ?? []
    if (imageRelease !== undefined) {
      await visit({ kind: 'image', release: imageRelease, path: member.path, read: () => member.read() })
    } else if (release !== undefined && path === 'modules.builtin') {
      await visit({ kind: 'built-in', release, path, read: () => member.read() })
    } else if (release !== undefined && path !== undefined && MODULE_FILE.test(path)) {
      const read = async (): Promise<Uint8Array> => unpackModule(path, await member.read())
      await visit({ kind: 'module', release, path: path.replace(MODULE_FILE, '.ko'), read })
    }
  })
}

/** Parameters of {@link storeKernel}. */
export interface StoreKernelInput {
  /** Paths of the packages: one, or as in Ubuntu one for the image and one for the modules. */
  readonly debs: readonly string[]
  readonly cache: Cache
  /** Folder of this kernel in the cache. */
  readonly folder: string
  readonly image: GuestArchitecture['image']
  readonly onProgress: OnGuestProgress
}

/**
 * Stores the image that is ready to boot, the index of all modules, and often used modules.
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` without a kernel in the package, or if it cannot be unpacked
 * @throws OptionError `KERNEL_MISMATCH` for modules of another version
 */
export async function storeKernel({ debs, cache, folder, image, onProgress }: StoreKernelInput): Promise<StoredKernel> {
  onProgress({ step: 'unpack', message: 'Reading the kernel and its modules' })
  const modulesFolder = `${folder}/modules`
  const modules: Record<string, KernelModule> = {}
  let builtIn: string[] = []
  let packed: { readonly release: string; readonly data: Uint8Array } | undefined
  const releases = new Set<string>()
  const visit = async (file: KernelFile): Promise<void> => {
    const data = await file.read()
    releases.add(file.release)
    if (file.kind === 'image') packed = { release: file.release, data }
    else if (file.kind === 'built-in') builtIn = parseBuiltIn(Buffer.from(data).toString())
    else {
      const sha256 = nodeCrypto().createHash('sha256').update(data).digest('hex')
      modules[moduleName(file.path)] = readModule(file.path, data, sha256)
      if (OFTEN_WANTED.has(moduleName(file.path))) await cache.publish(`${modulesFolder}/${file.path}`, data)
    }
  }
  for (const deb of debs) await readKernelPackage(deb, visit)
  if (!packed) throw new StartError('GUEST_KERNEL_UNAVAILABLE', 'The kernel package contains no kernel')
  if (releases.size > 1) {
    throw new OptionError('KERNEL_MISMATCH', `The packages have files of several kernels: ${[...releases].join(', ')}`)
  }
  onProgress({ step: 'kernel', message: `Preparing kernel ${packed.release} for the boot` })
  const index: ModuleIndex = { modules, builtIn }
  return {
    release: packed.release,
    image: await cache.publish(
      `${folder}/${image === 'vmlinux' ? 'vmlinux' : 'vmlinuz'}-${packed.release}`,
      await bootableImage(packed.data, image),
    ),
    modules: await cache.publish(`${folder}/modules.json`, JSON.stringify(index)),
    modulesFolder,
  }
}

/** The image of a kernel package, ready to boot. */
export async function bootableImage(data: Uint8Array, image: GuestArchitecture['image']): Promise<Uint8Array> {
  if (image === 'as-is') return data
  const { findPayload, unpackKernel } = await import('./kernel-payload.ts')
  const payload = findPayload(data)
  const vmlinux = await unpackKernel(payload)
  if (image === 'vmlinux') return vmlinux
  const { flatBzImage } = await import('./flat-bzimage.ts')
  return flatBzImage(payload.setup, vmlinux)
}

/** Creates the files and kernel arguments that boot a root file system. */
import { createHash, type Hash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Architecture, blockDevice, type Device } from '@coldboot/core'
import { Cache, hostArchitecture, readEnvironment, type StoredFile } from '@coldboot/core/internal'
import { writeCpio } from '../cpio.ts'
import { resolveGuestOptions } from '../guest-options.ts'
import { type StoredEntry, storedEntry } from '../image-store.ts'
import { HOSTS } from '../init-script.ts'
import { linuxGuest, memoryFor } from '../linux-guest.ts'
import { ContentFile } from './content-file.ts'
import { erofsImage } from './erofs.ts'
import { joinedInitramfs, requireOwnInitramfs, rootKernelArgs } from './joined-initramfs.ts'
import { findSource, type OpenedRoot, openRoot, type RootSource } from './open-root.ts'
import { mountDisk, mountFolder, ROOT_FOLDER, ROOT_SERIAL, type RootStart, rootScript } from './root-script.ts'
import { hasShell, homeOfRoot, planStart } from './root-start.ts'
import { emptyDirectory, type RootTree } from './root-tree.ts'
import type { RootfsGuest } from './rootfs.ts'
import {
  type ResolvedRootfsOptions,
  type RootfsOptions,
  type RootStorage,
  resolveRootfsOptions,
} from './rootfs-options.ts'
import { treeEntries } from './tree-cpio.ts'

/** Version of the stored images. Images of another version are created again. */
const FORMAT = 2
const FOLDER = 'rootfs'
/** Largest root that is kept in memory by default, bytes. */
const MOST_IN_MEMORY = 32 * 2 ** 20
/** Page sizes of Debian's kernels, bytes: the larger one for ppc64. */
const PAGE = 4096
const LARGE_PAGE = 65_536
/** Memory of a machine with its root on a disk, MiB. */
const DISK_MEMORY_MIB = 512

/** A cached image with facts about its root. */
interface StoredRoot extends StoredEntry {
  readonly files: readonly [StoredFile]
  readonly storage: RootStorage
  readonly arch: Architecture
  readonly start: RootStart
  readonly env: Readonly<Record<string, string>>
  readonly home: string
  readonly hasShell: boolean
}

/** Implements `rootfs`. */
export async function makeRootfs(path: string, given: RootfsOptions): Promise<RootfsGuest> {
  const options = resolveRootfsOptions(given)
  requireOwnInitramfs('rootfs')
  const environment = readEnvironment()
  const cache = new Cache(options.guest.cacheDirectory ?? environment.cacheDirectory)
  const source = await findSource(path, options.maxBytes, cache)
  const root = await storedRoot(source, options, cache)
  const isOnDisk = root.storage === 'disk'
  const modules = isOnDisk && environment.kernel === undefined ? ['erofs', 'overlay'] : []
  const guest = await linuxGuest({
    ...options.guest,
    arch: root.arch,
    modules: [...modules, ...(options.guest.modules ?? [])],
    agent: root.hasShell,
  })
  const { writable } = options
  const mount = isOnDisk ? mountDisk(writable) : mountFolder(writable)
  const script = rootScript({ mount, start: root.start, env: root.env, home: root.home, writable })
  const image = cache.path(root.files[0].name)
  const initramfs = await joinedInitramfs(cache, { guest, script, root: isOnDisk ? undefined : root.files[0] })
  const devices: readonly Device[] = isOnDisk
    ? [blockDevice(image, { format: 'raw', interface: 'virtio', readOnly: true, serial: ROOT_SERIAL })]
    : []
  return {
    ...guest,
    initramfs: cache.path(initramfs.name),
    kernelArgs: rootKernelArgs(guest),
    memory: isOnDisk ? `${BigInt(DISK_MEMORY_MIB)}M` : memoryFor(root.arch, initramfs.sizeBytes),
    ready: root.start.kind === 'shell' ? guest.ready : undefined,
    devices,
  }
}

async function storedRoot(source: RootSource, options: ResolvedRootfsOptions, cache: Cache): Promise<StoredRoot> {
  const { arch, init, image, storage, maxBytes } = options
  const hostArch = hostArchitecture() ?? resolveGuestOptions({ arch }).arch
  const parts = [FORMAT, source.identity, arch ?? hostArch, arch === undefined, init, image, storage, maxBytes]
  const key = sha256(JSON.stringify(parts.map((part) => part ?? null))).slice(0, 32)
  return storedEntry(cache, `${FOLDER}/${key}`, (name) =>
    cache.scratch(async (scratch) => {
      options.guest.onProgress?.({ step: 'root', message: `Packing the root file system ${source.path}` })
      const opened = await openRoot(source, { arch, hostArch, image, maxBytes, scratch })
      const { tree, config } = opened
      addMountPoints(tree)
      if (config !== undefined) await addHosts(tree, scratch)
      const start = await planStart(tree, config, init)
      const packed = await packRoot(opened, storage ?? storageFor(tree), { cache, name, scratch })
      const env = config?.env ?? {}
      return { ...packed, arch: opened.arch, start, env, home: await homeOfRoot(tree), hasShell: hasShell(tree) }
    }),
  )
}

/** Paths for packing a root. */
interface PackPlaces {
  readonly cache: Cache
  /** Folder and key of the record. */
  readonly name: string
  readonly scratch: string
}

async function packRoot(
  { tree, arch }: OpenedRoot,
  storage: RootStorage,
  { cache, name, scratch }: PackPlaces,
): Promise<Pick<StoredRoot, 'files' | 'storage'>> {
  if (storage === 'memory') {
    const cpio = writeCpio(await treeEntries(tree, ROOT_FOLDER))
    return { storage, files: [await cache.publish(`${name}.cpio`, cpio)] }
  }
  const path = join(scratch, 'image')
  const hash = createHash('sha256')
  await using image = await ContentFile.create(path)
  await image.add(hashed(erofsImage(tree, arch === 'ppc64' ? LARGE_PAGE : PAGE), hash))
  await image.flush()
  return { storage, files: [await cache.adopt(`${name}.erofs`, path, hash.digest('hex'))] }
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

// Container images lack the directories that a container runtime mounts.
function addMountPoints(tree: RootTree): void {
  const modes = { dev: 0o755, proc: 0o555, sys: 0o555, run: 0o755, tmp: 0o1777 }
  for (const [name, mode] of Object.entries(modes)) {
    if (tree.find([name]) === undefined) tree.add([name], emptyDirectory(mode))
  }
}

/** Adds `/etc/hosts` to a container image that lacks it or has an empty one, because images leave it to the container runtime. */
async function addHosts(tree: RootTree, scratch: string): Promise<void> {
  const existing = tree.find(['etc', 'hosts'], { follow: false })
  const isMissing = existing === undefined || (existing.type === 'file' && existing.size === 0)
  if (!isMissing || (tree.find(['etc']) ?? emptyDirectory()).type !== 'directory') return
  const path = join(scratch, 'hosts')
  await writeFile(path, HOSTS)
  const owned = { mode: 0o644, uid: 0, gid: 0, mtime: 0 }
  tree.add(['etc', 'hosts'], { type: 'file', ...owned, size: HOSTS.length, content: { path, offset: 0 } })
}

function storageFor(tree: RootTree): RootStorage {
  const files = new Map<object, number>()
  for (const [, node] of tree.entries()) if (node.type === 'file') files.set(node, node.size)
  return [...files.values()].reduce((sum, size) => sum + size, 0) > MOST_IN_MEMORY ? 'disk' : 'memory'
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

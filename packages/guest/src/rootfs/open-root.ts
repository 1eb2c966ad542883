/** Opens a source of `rootfs`: detects its kind, and reads the tree of its root file system. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Architecture, OptionError } from '@coldboot/core'
import { type Cache, fileDigest, messageOf } from '@coldboot/core/internal'
import { applyEntries, applyLayer } from './apply-layer.ts'
import { isContainerImage, openContainerImage } from './container-image.ts'
import { ContentFile, ReadBudget } from './content-file.ts'
import { type ReadDirectory, readDirectory } from './directory-tree.ts'
import type { ImageConfig } from './root-start.ts'
import { RootTree } from './root-tree.ts'
import { type LayerTarget, readLayer } from './tar-layer.ts'

/** A source on the host. */
export interface RootSource {
  /** The beginning of messages: `rootfs: PATH`. */
  readonly owner: string
  /** Absolute. */
  readonly path: string
  /** Bytes; undefined for a directory. */
  readonly size: number | undefined
  /** Hash that changes with the content, hex. */
  readonly identity: string
  readonly directory: ReadDirectory | undefined
}

/** A root file system. */
export interface OpenedRoot {
  readonly tree: RootTree
  /** Configuration of a container image; undefined for other sources. */
  readonly config: ImageConfig | undefined
  readonly arch: Architecture
}

/** Selects the root file system of a source. */
export interface OpenRequest {
  readonly arch: Architecture | undefined
  readonly hostArch: Architecture
  readonly image: string | undefined
  readonly maxBytes: number
  /** A directory for the contents of archives. Keep them until the image is built. */
  readonly scratch: string
}

/**
 * Finds the source.
 * @throws OptionError `FILE_MISSING`, `ROOTFS_TOO_LARGE`
 */
export async function findSource(source: string, maxBytes: number, cache: Cache): Promise<RootSource> {
  const path = resolve(source)
  const owner = `rootfs: ${path}`
  const stats = await stat(path).catch((cause: unknown) => {
    throw new OptionError('FILE_MISSING', `${owner} cannot be read: ${messageOf(cause)}`, { cause })
  })
  if (stats.isDirectory()) {
    const directory = await readDirectory({ owner, directory: path, budget: new ReadBudget(owner, maxBytes) })
    const identity = createHash('sha256').update(directory.identity).digest('hex')
    return { owner, path, size: undefined, identity, directory }
  }
  if (!stats.isFile()) throw new OptionError('INVALID_OPTION', `${owner} is neither a file nor a directory`)
  const identity = await fileDigest(path, cache.path('digests')).catch((cause: unknown) => {
    throw new OptionError('FILE_MISSING', `${owner} cannot be read: ${messageOf(cause)}`, { cause })
  })
  return { owner, path, size: stats.size, identity, directory: undefined }
}

/**
 * Reads the root file system.
 * @throws OptionError `ROOTFS_INVALID`, `ROOTFS_TOO_LARGE`, `INVALID_OPTION`
 */
export async function openRoot(source: RootSource, request: OpenRequest): Promise<OpenedRoot> {
  const { owner, path, size = 0 } = source
  await using contents = await ContentFile.create(join(request.scratch, 'contents'))
  const target: LayerTarget = { contents, budget: new ReadBudget(owner, request.maxBytes) }
  let tree = source.directory?.tree
  if (tree === undefined) {
    tree = new RootTree(owner)
    applyEntries(tree, (await readLayer(owner, { content: { path, offset: 0 }, size }, target)).entries)
  }
  const { image } = request
  const arch = request.arch ?? request.hostArch
  if (await isContainerImage(tree)) return await unpackImage(tree, { ...request, owner, arch }, request.arch, target)
  if (image === undefined) return { tree, config: undefined, arch }
  throw new OptionError('INVALID_OPTION', `${owner} is not a container image, but \`image\` is set`)
}

async function unpackImage(
  tree: RootTree,
  { owner, image, arch }: { readonly owner: string; readonly image: string | undefined; readonly arch: Architecture },
  asked: Architecture | undefined,
  target: LayerTarget,
): Promise<OpenedRoot> {
  const found = await openContainerImage(tree, { owner, image, arch })
  if (asked !== undefined && found.arch !== undefined && found.arch !== asked) {
    throw new OptionError('INVALID_OPTION', `${owner} has an image for ${found.arch}, but \`arch\` is ${asked}`)
  }
  const root = new RootTree(owner)
  for (const [at, { file, sha256 }] of found.layers.entries()) {
    const layer = await readLayer(`layer ${at + 1} of ${owner}`, file, target)
    if (layer.sha256 !== sha256) {
      throw new OptionError('ROOTFS_INVALID', `layer ${at + 1} of ${owner} is damaged: its digest is another one`)
    }
    applyLayer(root, layer.entries)
  }
  return { tree: root, config: found.config, arch: found.arch ?? arch }
}

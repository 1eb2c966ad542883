/**
 * Reads container images that `docker save` or `skopeo copy` wrote: archives of Docker (`manifest.json`) and layouts of the OCI
 * image specification (`index.json`). Both are read from a tree of the archive's or directory's files.
 */
import { createHash } from 'node:crypto'
import { type Architecture, OptionError } from '@coldboot/core'
import { readRange } from './decompressed.ts'
import { DEFAULT_PATH, type ImageConfig } from './root-start.ts'
import type { RootFile, RootTree } from './root-tree.ts'

/** A layer of an image. */
export interface ImageLayer {
  readonly file: RootFile
  /** SHA-256 of the decompressed layer, hex. */
  readonly sha256: string
}

/** A container image in a source. */
export interface ContainerImage {
  readonly config: ImageConfig
  /** Undefined if coldboot has no guest for the architecture. */
  readonly arch: Architecture | undefined
  /** The lowest one first. */
  readonly layers: readonly ImageLayer[]
}

/** Selects an image of a source. */
export interface ImageChoice {
  /** The beginning of messages: `rootfs: PATH`. */
  readonly owner: string
  /** Name or tag. Required if the source has several images. */
  readonly image: string | undefined
  readonly arch: Architecture
}

type Json = Readonly<Record<string, unknown>>

/** Architectures by Go's names, which container images use. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  amd64: 'x86_64',
  '386': 'i386',
  arm64: 'aarch64',
  arm: 'arm',
  ppc64le: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
}
const LARGEST_JSON = 16 * 2 ** 20
/** Largest number of nested indexes. */
const DEEPEST_INDEX = 4

/** Whether the files are those of container images. */
export async function isContainerImage(tree: RootTree): Promise<boolean> {
  const manifest = await readJson(tree, 'manifest.json').catch(() => undefined)
  if (Array.isArray(manifest) && isJson(manifest[0]) && Array.isArray(manifest[0]['Layers'])) return true
  const layout = await readJson(tree, 'oci-layout').catch(() => undefined)
  return isJson(layout) && typeof layout['imageLayoutVersion'] === 'string'
}

/**
 * Chooses an image and reads its configuration.
 * @throws OptionError `ROOTFS_INVALID` for a damaged image, `INVALID_OPTION` when there is no or more than one such image
 */
export async function openContainerImage(tree: RootTree, choice: ImageChoice): Promise<ContainerImage> {
  const manifest = await readJson(tree, 'manifest.json').catch(() => undefined)
  return Array.isArray(manifest) ? openDockerArchive(tree, choice, manifest) : openOciLayout(tree, choice)
}

async function openDockerArchive(
  tree: RootTree,
  choice: ImageChoice,
  manifest: readonly unknown[],
): Promise<ContainerImage> {
  const images = manifest.filter(isJson).map((image) => ({ image, names: texts(image['RepoTags']) }))
  const { image } = choose(choice, images)
  const config = await readJson(tree, text(image['Config']))
  const files = texts(image['Layers']).map((path) => requireFile(tree, choice.owner, path))
  return describe(choice.owner, config, files)
}

interface Descriptor {
  readonly file: RootFile
  readonly sha256: string
  readonly names: readonly string[]
  readonly arch: Architecture | undefined
  readonly isIndex: boolean
}

async function openOciLayout(tree: RootTree, choice: ImageChoice): Promise<ContainerImage> {
  const manifests = await readIndex(tree, choice.owner, await readJson(tree, 'index.json'), [])
  const ofArch = manifests.filter(({ arch }) => arch === undefined || arch === choice.arch)
  const { file, sha256 } = choose(choice, ofArch.length > 0 ? ofArch : manifests)
  const manifest = await readBlob(choice.owner, { file, sha256 })
  if (!isJson(manifest)) throw invalid(choice.owner, 'has a damaged manifest')
  const config = await readBlob(choice.owner, descriptor(tree, choice.owner, manifest['config']))
  const layers = list(manifest['layers']).map((layer) => descriptor(tree, choice.owner, layer).file)
  return describe(choice.owner, config, layers)
}

async function readIndex(
  tree: RootTree,
  owner: string,
  index: unknown,
  names: readonly string[],
  depth = 0,
): Promise<readonly Descriptor[]> {
  if (!isJson(index) || depth > DEEPEST_INDEX) throw invalid(owner, 'has a damaged index')
  const all: Descriptor[] = []
  for (const entry of list(index['manifests'])) {
    // Build attestations are listed like images.
    if (isJson(entry) && isJson(entry['annotations']) && 'vnd.docker.reference.type' in entry['annotations']) continue
    const found = descriptor(tree, owner, entry, names)
    if (found.isIndex) all.push(...(await readIndex(tree, owner, await readBlob(owner, found), found.names, depth + 1)))
    else all.push(found)
  }
  return all
}

function descriptor(tree: RootTree, owner: string, value: unknown, names: readonly string[] = []): Descriptor {
  const { digest, mediaType, annotations, platform } = isJson(value) ? value : {}
  const [, sha256] = /^sha256:([\da-f]{64})$/.exec(text(digest)) ?? []
  if (sha256 === undefined) throw invalid(owner, `has the digest ${JSON.stringify(digest)}, which is not supported`)
  const named = isJson(annotations)
    ? [annotations['org.opencontainers.image.ref.name'], annotations['io.containerd.image.name']]
    : []
  return {
    file: requireFile(tree, owner, `blobs/sha256/${sha256}`),
    sha256,
    names: [...names, ...texts(named)],
    arch: isJson(platform) ? ARCHITECTURES[text(platform['architecture'])] : undefined,
    isIndex: /index|manifest\.list/.test(text(mediaType)),
  }
}

function choose<Image extends { readonly names: readonly string[] }>(
  { owner, image }: ImageChoice,
  images: readonly Image[],
): Image {
  const found = images.filter(({ names }) => image === undefined || names.some((name) => isNamed(name, image)))
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  const names = images.flatMap((each) => each.names)
  const what = image === undefined ? `${found.length} images` : `${found.length} images of the name ${image}`
  const hint = names.length === 0 ? 'Save one image alone.' : `Set \`image\` to one of ${names.join(', ')}.`
  throw new OptionError('INVALID_OPTION', `${owner} has ${what}, but exactly one is needed`, { hint })
}

// `docker.io/library/alpine:3` is also `alpine:3`, and `alpine` if there is one tag only.
function isNamed(name: string, asked: string): boolean {
  return name === asked || name.endsWith(`/${asked}`) || name.replace(/:[^/:]+$/, '') === asked
}

function describe(owner: string, value: unknown, files: readonly RootFile[]): ContainerImage {
  if (!isJson(value)) throw invalid(owner, 'has a damaged configuration')
  const { config, rootfs, architecture } = value
  const ids = isJson(rootfs) ? texts(rootfs['diff_ids']) : []
  if (ids.length !== files.length) throw invalid(owner, `has ${files.length} layers, and the digests of ${ids.length}`)
  const layers = files.map((file, at) => ({ file, sha256: ids[at]?.replace(/^sha256:/, '') ?? '' }))
  const settings = isJson(config) ? config : {}
  const assignments = texts(settings['Env']).map((assignment) => {
    const [name = ''] = assignment.split('=', 1)
    return [name, assignment.slice(name.length + 1)] as const
  })
  const isBad = [...assignments.flat(), ...texts(settings['Entrypoint']), ...texts(settings['Cmd'])].some((each) =>
    each.includes('\0'),
  )
  if (isBad) throw invalid(owner, 'has a NUL in its configuration')
  return {
    arch: ARCHITECTURES[text(architecture)],
    layers,
    config: {
      env: { PATH: DEFAULT_PATH, ...Object.fromEntries(assignments) },
      entrypoint: texts(settings['Entrypoint']),
      command: texts(settings['Cmd']),
      directory: text(settings['WorkingDir']) || '/',
      user: text(settings['User']),
    },
  }
}

async function readBlob(owner: string, { file, sha256 }: Pick<Descriptor, 'file' | 'sha256'>): Promise<unknown> {
  const bytes = await readRange(file, LARGEST_JSON)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw invalid(owner, `is damaged: the content of ${sha256.slice(0, 12)} has another digest`)
  }
  return parse(owner, bytes)
}

async function readJson(tree: RootTree, path: string): Promise<unknown> {
  const file = requireFile(tree, path, path)
  return parse(path, await readRange(file, LARGEST_JSON))
}

function parse(owner: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch (cause) {
    throw new OptionError('ROOTFS_INVALID', `${owner} has JSON that cannot be read`, { cause })
  }
}

function requireFile(tree: RootTree, owner: string, path: string): RootFile {
  const node = tree.find(path.split('/'))
  if (node?.type === 'file') return node
  throw invalid(owner, `lacks the file ${JSON.stringify(path)}`)
}

function invalid(owner: string, what: string): OptionError {
  return new OptionError('ROOTFS_INVALID', `${owner} ${what}`)
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function texts(value: unknown): readonly string[] {
  return list(value).filter((each) => typeof each === 'string')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

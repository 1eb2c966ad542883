/** Creates archives and container images for tests of root file systems. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Header, pack } from 'tar-stream'

/** An entry: its name, with a content, a header, or both. */
export type TarEntry = readonly [name: string, content: string | Uint8Array | Partial<Header>, header?: Partial<Header>]

/** A tar archive with these entries, in this order. A name that ends with a slash is a directory. */
export async function makeTar(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack()
  for (const [name, content, header = {}] of entries) {
    const hasContent = typeof content === 'string' || content instanceof Uint8Array
    const type = name.endsWith('/') ? 'directory' : 'file'
    const all = { name, type, mtime: new Date(1_600_000_000_000), ...(hasContent ? header : content) } as const
    archive.entry(all, hasContent ? Buffer.from(content as Uint8Array) : Buffer.alloc(0))
  }
  archive.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of archive as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Configuration of an image, as Docker writes it. */
export type ImageSettings = Readonly<Record<string, unknown>>

function describeImage(layers: readonly Buffer[], config: ImageSettings, architecture = 'amd64'): Buffer {
  const ids = layers.map((layer) => `sha256:${digest(layer)}`)
  return Buffer.from(JSON.stringify({ architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: ids } }))
}

/** Creates an archive in the format of `docker save`. */
export async function makeDockerArchive(
  layers: readonly Buffer[],
  config: ImageSettings,
  tags: readonly string[] = ['test:latest'],
): Promise<Buffer> {
  const description = describeImage(layers, config)
  const files = layers.map((layer) => [`${digest(layer)}/layer.tar`, layer] as const)
  const manifest = [{ Config: `${digest(description)}.json`, RepoTags: tags, Layers: files.map(([name]) => name) }]
  return makeTar([...files, [`${digest(description)}.json`, description], ['manifest.json', JSON.stringify(manifest)]])
}

/** An image of an OCI layout. Layers have the stored, possibly compressed bytes and the tar archive in them. */
export interface OciImage {
  readonly layers: readonly { readonly stored: Buffer; readonly tar: Buffer }[]
  readonly config: ImageSettings
  readonly architecture?: string
  readonly name?: string
}

/** Writes an OCI layout to a directory. */
export async function makeOciLayout(directory: string, images: readonly OciImage[]): Promise<void> {
  const store = async (content: Buffer | object): Promise<Record<string, unknown>> => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    await put(join(directory, 'blobs/sha256', digest(bytes)), bytes)
    return { digest: `sha256:${digest(bytes)}`, size: bytes.length }
  }
  const manifests: unknown[] = []
  for (const { layers, config, architecture = 'amd64', name } of images) {
    const tars = layers.map(({ tar }) => tar)
    const manifest = await store({
      schemaVersion: 2,
      config: await store(describeImage(tars, config, architecture)),
      layers: await Promise.all(layers.map(({ stored }) => store(stored))),
    })
    const annotations = name === undefined ? undefined : { 'org.opencontainers.image.ref.name': name }
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    manifests.push({ ...manifest, mediaType, annotations, platform: { architecture, os: 'linux' } })
  }
  await put(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await put(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
}

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Entries of a root file system with the busybox of the guest's package, and links for some of its programs. */
export async function busyboxEntries(programs: readonly string[]): Promise<readonly TarEntry[]> {
  const busybox = await readFile(new URL('../../guest-x86_64/busybox', import.meta.url))
  return [
    ['bin/', { mode: 0o755 }],
    ['bin/busybox', busybox, { mode: 0o755 }],
    ...programs.map((name): TarEntry => [`bin/${name}`, { type: 'symlink', linkname: 'busybox' }]),
  ]
}

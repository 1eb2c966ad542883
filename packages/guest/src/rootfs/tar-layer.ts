/**
 * Reads an untrusted tar archive. The contents of its files are copied to one file on the host, so that no path of the archive
 * is used as a path of the host.
 */
import { createHash } from 'node:crypto'
import { type Readable, Transform, type Writable } from 'node:stream'
import { ColdbootError, OptionError } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'
import { extract, type Header } from 'tar-stream'
import type { ContentFile, ReadBudget } from './content-file.ts'
import { type ByteRange, openDecompressed } from './decompressed.ts'
import { pathNames, type RootNode } from './root-tree.ts'

/** An entry of an archive. `hardLink`: the path of the file that the entry is a hard link to. */
export type LayerEntry = { readonly names: readonly string[] } & (
  | { readonly node: RootNode }
  | { readonly hardLink: readonly string[] }
)

/** The entries of an archive, in archive order. */
export interface Layer {
  readonly entries: readonly LayerEntry[]
  /** SHA-256 of the decompressed archive, hex. */
  readonly sha256: string
}

/** Receiver of the contents, and their limits. */
export interface LayerTarget {
  readonly contents: ContentFile
  readonly budget: ReadBudget
}

// The library leaves these fields undefined in damaged headers.
type RawHeader = Partial<Omit<Header, 'type' | 'linkname' | 'pax' | 'name'>> & {
  readonly name: string
  readonly type: Header['type'] | null
  readonly linkname: string | null
  readonly pax?: Readonly<Record<string, string>> | null
}
type RawEntry = Readable & { readonly header: RawHeader }

const LARGEST_ID = 2 ** 32 - 2

/**
 * Reads an archive.
 * @param owner name of the archive for error messages
 * @throws OptionError `ROOTFS_INVALID` for a damaged archive, unsafe paths, and entries that Linux does not allow;
 * `ROOTFS_TOO_LARGE`; others as {@link openDecompressed}
 */
export async function readLayer(owner: string, archive: ByteRange, target: LayerTarget): Promise<Layer> {
  const source = await openDecompressed(owner, archive)
  const hash = createHash('sha256')
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        target.budget.takeBytes(chunk.length)
        hash.update(chunk)
        done(undefined, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  const unpack = extract()
  source.once('error', (error) => counted.destroy(error))
  counted.once('error', (error) => unpack.destroy(error))
  source.pipe(counted).pipe(unpack as unknown as Writable)
  const entries: LayerEntry[] = []
  try {
    for await (const entry of unpack as unknown as AsyncIterable<RawEntry>) {
      target.budget.takeEntry()
      entries.push(await readEntry(owner, entry, target))
    }
  } catch (cause) {
    if (ColdbootError.is(cause)) throw cause
    throw new OptionError('ROOTFS_INVALID', `${owner} is not a tar archive, or damaged: ${messageOf(cause)}`, { cause })
  } finally {
    source.destroy()
    counted.destroy()
  }
  await target.contents.flush()
  return { entries, sha256: hash.digest('hex') }
}

async function readEntry(owner: string, entry: RawEntry, { contents }: LayerTarget): Promise<LayerEntry> {
  const { header } = entry
  const names = pathNames(owner, header.name)
  const shown = JSON.stringify(header.name.slice(0, 200))
  const refuse = (why: string): never => {
    throw new OptionError('ROOTFS_INVALID', `${owner} has ${shown}, which ${why}`)
  }
  const id = (name: 'uid' | 'gid'): number => {
    const value = Number(header.pax?.[name] ?? header[name] ?? 0)
    return Number.isInteger(value) && value >= 0 && value <= LARGEST_ID ? value : refuse(`has a bad ${name}`)
  }
  const number = (value: number | undefined, most: number): number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most ? Number(value) : refuse('has a bad header')
  const seconds = Math.floor((header.mtime?.getTime() ?? 0) / 1000)
  const owned = {
    mode: number(header.mode ?? 0o644, 0o7777),
    uid: id('uid'),
    gid: id('gid'),
    mtime: Number.isFinite(seconds) ? Math.max(0, seconds) : 0,
  }
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse'))) refuse('is a sparse file')
  const type = header.type === 'file' && header.name.endsWith('/') ? 'directory' : header.type
  const linkname = header.linkname ?? ''
  if (type !== 'file' && type !== 'contiguous-file') entry.resume()
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return { names, node: { type: 'file', ...owned, ...(await contents.add(entry)) } }
    case 'directory':
      return { names, node: { type: 'directory', ...owned, children: new Map() } }
    case 'symlink':
      if (linkname === '' || linkname.includes('\0') || Buffer.byteLength(linkname) > 4095) refuse('is a bad link')
      return { names, node: { type: 'symlink', ...owned, mode: 0o777, target: linkname } }
    case 'link':
      return { names, hardLink: pathNames(owner, linkname) }
    case 'character-device':
    case 'block-device': {
      const [major, minor] = [number(header.devmajor, 0xfff), number(header.devminor, 0xfffff)]
      return { names, node: { type: type === 'block-device' ? 'block' : 'character', ...owned, major, minor } }
    }
    case 'fifo':
      return { names, node: { type: 'fifo', ...owned, major: 0, minor: 0 } }
    case null:
      return refuse('is of a kind that is not supported, such as a sparse file')
  }
}

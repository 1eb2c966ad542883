/** A new image whose layout is computed and checked. Contents are read when the image is written. */
import type { MkfatfsOptions, PartitionTable } from './options.ts'
import { type ImageFacts, type PlannedImage, planImage, type VolumeFacts } from './plan-image.ts'
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts'
import { buildTree } from './tree/build-tree.ts'
import type { Tree } from './tree/tree.ts'
import { loadFormatter } from './volume/formatter.ts'
import type { FatType } from './volume/geometry.ts'
import { BytesSink, PartsSink, StreamSink } from './write/memory-sinks.ts'
import type { ImageSink } from './write/sequential-writer.ts'
import { writeImage } from './write/write-image.ts'

/** A new image. Each method writes the whole image. */
export class NewFatImage implements ImageFacts {
  readonly type: FatType
  readonly partitionTable: PartitionTable
  readonly size: number
  readonly volumeOffset: number
  readonly clusterSize: number
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly volumes: readonly VolumeFacts[]
  readonly #planned: PlannedImage
  readonly #options: ResolvedOptions

  /** @internal */
  constructor(planned: PlannedImage, options: ResolvedOptions) {
    this.#planned = planned
    this.#options = options
    const { facts } = planned
    this.type = facts.type
    this.partitionTable = facts.partitionTable
    this.size = facts.size
    this.volumeOffset = facts.volumeOffset
    this.clusterSize = facts.clusterSize
    this.files = facts.files
    this.directories = facts.directories
    this.bytes = facts.bytes
    this.volumes = facts.volumes
  }

  /**
   * Returns the image as bytes.
   * @throws MkfatfsError `SOURCE_CHANGED`, `READ_FAILED`; the signal's reason
   */
  async toBytes(): Promise<Uint8Array<ArrayBuffer>> {
    const sink = new BytesSink(this.size)
    await this.writeTo(sink)
    return sink.bytes
  }

  /**
   * Returns the image as a Blob. Free space takes no memory.
   * @throws MkfatfsError `SOURCE_CHANGED`, `READ_FAILED`; the signal's reason
   */
  async toBlob(): Promise<Blob> {
    const sink = new PartsSink()
    await this.writeTo(sink)
    sink.fill(this.size)
    return new Blob(sink.parts, { type: 'application/octet-stream' })
  }

  /** Returns the image as a stream, which fails with the errors of {@link toBytes}. */
  toStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>()
    const writer = writable.getWriter()
    const write = async () => {
      const sink = new StreamSink(writer)
      await this.writeTo(sink)
      await sink.fill(this.size)
      await writer.close()
    }
    // Passes the error to the reader. If the reader has cancelled, the writer is already closed.
    write().catch((error: unknown) => writer.abort(error).catch(() => {}))
    return readable
  }

  /** @internal */
  async writeTo(sink: ImageSink): Promise<void> {
    const { signal, onProgress } = this.#options
    const totalBytes = this.bytes
    await writeImage(sink, this.#planned.plan, { signal, onBytes: (bytes) => onProgress({ bytes, totalBytes }) })
    onProgress({ bytes: totalBytes, totalBytes })
  }
}

/**
 * Reads the sources while FatFs is compiled, then computes the layout of the image.
 * @param epoch see {@link resolveOptions}
 */
export async function createImage<T>(
  options: MkfatfsOptions,
  epoch: number | undefined,
  sources: (resolved: ResolvedOptions) => readonly Promise<Tree>[],
  create: (planned: PlannedImage, resolved: ResolvedOptions) => T,
): Promise<T> {
  const resolved = resolveOptions(options, epoch)
  resolved.signal?.throwIfAborted()
  const [format, trees] = await Promise.all([loadFormatter(), Promise.all(sources(resolved))])
  return create(planImage(format, trees, resolved), resolved)
}

/** Returns the trees of options with `files`. */
export function treesOf(options: MkfatfsOptions): Promise<Tree>[] {
  return (options.partitions ?? [options]).map(({ files }) => buildTree(files ?? [], options.signal))
}

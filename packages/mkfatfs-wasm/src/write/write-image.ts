/** Writes an image from its layout, from front to back. */

import { SLOT_BYTES } from '../tree/slots.ts'
import type { DirectoryNode, Tree } from '../tree/tree.ts'
import type { Allocation } from '../volume/allocate.ts'
import type { FormattedVolume } from '../volume/formatter.ts'
import { clusterBytes, clusterOffset, FIRST_CLUSTER } from '../volume/geometry.ts'
import { encodeDirectory, type SlotContext } from './directory-slots.ts'
import { encodeFat } from './fat-table.ts'
import { type ImageSink, SequentialWriter } from './sequential-writer.ts'

/** Bytes at a position in the image. */
export interface Chunk {
  /** Offset from the start of the image, bytes. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** A volume to write. */
export interface VolumePlan {
  readonly tree: Tree
  readonly volume: FormattedVolume
  /** Start of the volume in the image, in bytes. */
  readonly offset: number
  readonly allocation: Allocation
  readonly slots: SlotContext
}

/** An image to write. */
export interface ImagePlan {
  /** Bytes of the image. */
  readonly size: number
  /** Bytes outside of the volumes, such as partition tables. */
  readonly chunks: readonly Chunk[]
  readonly volumes: readonly VolumePlan[]
}

/** Options of {@link writeImage}. */
export interface WriteOptions {
  readonly signal: AbortSignal | undefined
  /** Called with the number of written bytes of file contents. */
  readonly onBytes: (bytes: number) => void
}

/**
 * Writes the image to a sink that contains zeros.
 * @throws MkfatfsError `SOURCE_CHANGED`, `READ_FAILED`, and errors of the sink
 */
export async function writeImage(sink: ImageSink, plan: ImagePlan, { signal, onBytes }: WriteOptions): Promise<void> {
  const writer = new SequentialWriter(sink)
  const progress = { bytes: 0 }
  const flush = async (done = 0) => {
    await writer.flush()
    signal?.throwIfAborted()
    onBytes(progress.bytes + done)
  }
  const parts = [
    ...plan.chunks.map((chunk) => ({ offset: chunk.offset, write: () => writeChunk(writer, chunk) })),
    ...plan.volumes.map((volume) => ({
      offset: volume.offset,
      write: () => new VolumeWriter(writer, volume, flush, progress).write(),
    })),
  ].sort((a, b) => a.offset - b.offset)
  try {
    for (const part of parts) await part.write()
    await writer.end()
  } finally {
    await writer.settle()
  }
}

async function writeChunk(writer: SequentialWriter, { offset, bytes }: Chunk): Promise<void> {
  await writer.seek(offset)
  await writer.write(bytes)
}

class VolumeWriter {
  readonly #writer: SequentialWriter
  readonly #plan: VolumePlan
  readonly #flush: (done?: number) => Promise<void>
  readonly #progress: { bytes: number }

  constructor(
    writer: SequentialWriter,
    plan: VolumePlan,
    flush: (done?: number) => Promise<void>,
    progress: { bytes: number },
  ) {
    this.#writer = writer
    this.#plan = plan
    this.#flush = flush
    this.#progress = progress
  }

  async write(): Promise<void> {
    const { volume, offset } = this.#plan
    const { sectorBytes, fatStart } = volume.geometry
    // Only sectors before the FATs. The other parts are written below.
    const reserved = [...volume.sectors].filter(([sector]) => sector < fatStart).sort(([a], [b]) => a - b)
    for (const [sector, bytes] of reserved)
      await writeChunk(this.#writer, { offset: offset + sector * sectorBytes, bytes })
    await this.#writeFats()
    await this.#writeDirectories()
    await this.#writeFiles()
  }

  async #writeFats(): Promise<void> {
    const { volume, offset, allocation } = this.#plan
    const { type, sectorBytes, fats, fatStart, fatSectors } = volume.geometry
    const reserved = volume.sectors.get(fatStart) ?? new Uint8Array(sectorBytes)
    for (let copy = 0; copy < fats; copy++) {
      await this.#writer.seek(offset + (fatStart + copy * fatSectors) * sectorBytes)
      for (const piece of encodeFat(type, reserved, allocation.runs)) await this.#writer.write(piece)
    }
  }

  /** Writes the directories. Afterwards, the writer is at the position of the first file. */
  async #writeDirectories(): Promise<void> {
    const { tree, volume, offset, allocation, slots } = this.#plan
    const { geometry } = volume
    const [root, ...others] = tree.directories
    let scratch = new Uint8Array()
    const write = (directory: DirectoryNode, bytes: number) => {
      if (scratch.length < bytes) scratch = new Uint8Array(bytes)
      const target = scratch.subarray(0, bytes)
      encodeDirectory(directory, target, slots)
      return this.#writer.write(target)
    }
    const isRootApart = geometry.type !== 'fat32'
    if (isRootApart && root !== undefined) {
      await this.#writer.seek(offset + geometry.rootStart * geometry.sectorBytes)
      await write(root, geometry.rootSlots * SLOT_BYTES)
    }
    await this.#writer.seek(offset + clusterOffset(geometry, FIRST_CLUSTER))
    for (const directory of isRootApart ? others : tree.directories) {
      await write(directory, allocation.clustersOf(directory) * clusterBytes(geometry))
    }
  }

  async #writeFiles(): Promise<void> {
    const align = clusterBytes(this.#plan.volume.geometry)
    const writer = this.#writer
    const target = {
      room: writer.room.bind(writer),
      commit: writer.commit.bind(writer),
      write: writer.write.bind(writer),
      flush: this.#flush,
    }
    for (const file of this.#plan.tree.files) {
      if (file.size === 0) continue
      const pending = file.source.copyTo(target, file, align)
      if (pending !== undefined) await pending
      this.#progress.bytes += file.size
    }
  }
}

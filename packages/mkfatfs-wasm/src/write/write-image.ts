/** Last phase: puts the parts of the image into its file. All of it is decided by now. */
import type { FileHandle } from 'node:fs/promises'
import type { Chunk } from '../partition/disk-layout.ts'
import type { DirectoryNode, Tree } from '../scan/tree.ts'
import type { Allocation } from '../volume/allocate.ts'
import type { FormattedVolume } from '../volume/formatter.ts'
import { clusterBytes, clusterOffset, FIRST_CLUSTER } from '../volume/geometry.ts'
import { SLOT_BYTES } from '../volume/slots.ts'
import { encodeDirectory, type SlotContext } from './directory-slots.ts'
import { encodeFat } from './fat-table.ts'
import { SequentialWriter } from './sequential-writer.ts'
import { writeFiles } from './write-files.ts'

/** All there is to write. */
export interface ImagePlan {
  readonly tree: Tree
  readonly volume: FormattedVolume
  /** Where the volume begins, in bytes. */
  readonly volumeOffset: number
  readonly allocation: Allocation
  readonly partitionTable: readonly Chunk[]
  readonly slots: SlotContext
  readonly signal: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

/** Writes into `file`, which has its size and is zero. */
export async function writeImage(file: FileHandle, plan: ImagePlan): Promise<void> {
  const { volume, volumeOffset } = plan
  const writer = new SequentialWriter(file)
  try {
    for (const { offset, bytes } of plan.partitionTable) {
      await writer.seek(offset)
      await writer.write(bytes)
    }
    for (const [sector, bytes] of volume.sectors) {
      await writer.seek(volumeOffset + sector * volume.geometry.sectorBytes)
      await writer.write(bytes)
    }
    await writeFats(writer, plan)
    await writeDirectories(writer, plan)
    await writeFiles(plan.tree.files, writer, { ...plan, clusterBytes: clusterBytes(volume.geometry) })
    await writer.end()
  } finally {
    await writer.settle()
  }
}

/** Writes over the few bytes of the FATs that FatFs has formatted. */
async function writeFats(writer: SequentialWriter, { volume, volumeOffset, allocation }: ImagePlan): Promise<void> {
  const { geometry, sectors } = volume
  const reserved = sectors.get(geometry.fatStart) ?? Buffer.alloc(geometry.sectorBytes)
  let done = 0
  for (const piece of encodeFat(geometry.type, reserved, allocation.runs)) {
    for (let copy = 0; copy < geometry.fats; copy++) {
      const start = geometry.fatStart + copy * geometry.fatSectors
      await writer.seek(volumeOffset + start * geometry.sectorBytes + done)
      await writer.write(piece)
    }
    done += piece.length
  }
}

/** Leaves the writer where the contents of the files begin. */
async function writeDirectories(writer: SequentialWriter, plan: ImagePlan): Promise<void> {
  const { tree, volume, volumeOffset, allocation, slots } = plan
  const { geometry } = volume
  const [root, ...others] = tree.directories
  let scratch = Buffer.alloc(0)
  const write = (directory: DirectoryNode, bytes: number) => {
    if (scratch.length < bytes) scratch = Buffer.alloc(bytes)
    const target = scratch.subarray(0, bytes)
    encodeDirectory(directory, target, slots)
    return writer.write(target)
  }
  const isRootApart = geometry.type !== 'fat32'
  if (isRootApart && root !== undefined) {
    await writer.seek(volumeOffset + geometry.rootStart * geometry.sectorBytes)
    await write(root, geometry.rootSlots * SLOT_BYTES)
  }
  await writer.seek(volumeOffset + clusterOffset(geometry, FIRST_CLUSTER))
  for (const directory of isRootApart ? others : tree.directories) {
    await write(directory, allocation.clustersOf(directory) * clusterBytes(geometry))
  }
}

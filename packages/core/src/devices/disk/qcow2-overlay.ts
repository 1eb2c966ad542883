/**
 * Writes an empty copy-on-write overlay: a qcow2 file without data. `qemu-img` would take 10 to 25 ms at each start;
 * this takes less than 1 ms. Format: docs/interop/qcow2.txt in QEMU.
 *
 * The path of the backing file is on the command line of QEMU, not in the overlay, so the overlay cannot refer to other
 * files.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { writeAll } from '../../host/files/write-all.ts'

const CLUSTER_BITS = 16
const CLUSTER = 1 << CLUSTER_BITS
/** Bytes of the disk per L1 entry: a cluster of L2 entries, each for one cluster. */
const L1_ENTRY_SPAN = (CLUSTER / 8) * CLUSTER
const HEADER_LENGTH = 104

/** First clusters of the file, in this order. The L1 table is last, because it grows with the disk. */
const REFCOUNT_TABLE = 1
const REFCOUNT_BLOCK = 2
const L1_TABLE = 3

/**
 * Creates the file, which only its owner can read.
 * @param virtualSize bytes, a multiple of 512
 * @throws the system's error, such as `EEXIST`
 */
export async function writeQcow2Overlay(path: string, virtualSize: number): Promise<void> {
  const l1Entries = Math.max(1, Math.ceil(virtualSize / L1_ENTRY_SPAN))
  const clusters = L1_TABLE + Math.ceil((l1Entries * 8) / CLUSTER)
  const file = await open(path, 'wx', 0o600)
  try {
    await writeAt(file, 0, header(virtualSize, l1Entries))
    await writeAt(file, REFCOUNT_TABLE * CLUSTER, bigEndian64(REFCOUNT_BLOCK * CLUSTER))
    // Each of these clusters has one reference.
    const refcounts = Buffer.alloc(clusters * 2)
    for (let index = 0; index < clusters; index++) refcounts.writeUInt16BE(1, index * 2)
    await writeAt(file, REFCOUNT_BLOCK * CLUSTER, refcounts)
    await file.truncate(clusters * CLUSTER)
  } finally {
    await file.close()
  }
}

function header(virtualSize: number, l1Entries: number): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH)
  bytes.write('QFI\xfb', 0, 'latin1')
  bytes.writeUInt32BE(3, 4) // version
  bytes.writeUInt32BE(CLUSTER_BITS, 20)
  bytes.writeBigUInt64BE(BigInt(virtualSize), 24)
  bytes.writeUInt32BE(l1Entries, 36)
  bytes.writeBigUInt64BE(BigInt(L1_TABLE * CLUSTER), 40)
  bytes.writeBigUInt64BE(BigInt(REFCOUNT_TABLE * CLUSTER), 48)
  bytes.writeUInt32BE(1, 56) // clusters of the refcount table
  bytes.writeUInt32BE(4, 96) // a refcount has 1 << 4 bits
  bytes.writeUInt32BE(HEADER_LENGTH, 100)
  return bytes
}

function bigEndian64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

async function writeAt(file: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  await writeAll(file, [bytes], offset)
}

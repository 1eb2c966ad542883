/** The memory that a kernel and its initramfs need at least. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** Field offsets of a little-endian 64-bit ELF file (elf.h), which the kernels of this size check are. */
const ELF = { magic: '\x7fELF', class64: 2, little: 1, headers: 0x20, headerSize: 0x36, headerCount: 0x38 } as const
const PROGRAM = { load: 1, memorySize: 0x28, size: 56 } as const
const HEADER_BYTES = 64

/**
 * Bytes that are certainly needed: the loaded segments of an ELF kernel, or else the size of the file, and the initramfs, which
 * stays in memory as it is until the kernel has unpacked it.
 */
export function leastMemory(kernel: string | undefined, initramfs: string | undefined): number {
  return (kernel === undefined ? 0 : loadedBytes(kernel)) + (initramfs === undefined ? 0 : statSync(initramfs).size)
}

function loadedBytes(kernel: string): number {
  const fd = openSync(kernel, 'r')
  try {
    const read = (length: number, position: number): Buffer => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
    }
    const head = read(HEADER_BYTES, 0)
    const isElf = head.length === HEADER_BYTES && head.toString('latin1', 0, 4) === ELF.magic
    if (!isElf || head[4] !== ELF.class64 || head[5] !== ELF.little) return statSync(kernel).size
    const fileBytes = statSync(kernel).size
    const start = Number(head.readBigUInt64LE(ELF.headers))
    const length = PROGRAM.size * head.readUInt16LE(ELF.headerCount)
    // QEMU reports a damaged kernel.
    if (head.readUInt16LE(ELF.headerSize) !== PROGRAM.size || start + length > fileBytes) return fileBytes
    const table = read(length, start)
    let bytes = 0
    for (let at = 0; at + PROGRAM.size <= table.length; at += PROGRAM.size) {
      if (table.readUInt32LE(at) === PROGRAM.load) bytes += Number(table.readBigUInt64LE(at + PROGRAM.memorySize))
    }
    return bytes
  } finally {
    closeSync(fd)
  }
}

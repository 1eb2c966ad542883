/** The memory that a kernel and its initramfs need at least. */
import { statSync } from 'node:fs'
import { fileStart } from './file-start.ts'

/** The program headers of a kernel lie in its first bytes. */
const HEAD_BYTES = 4096
/** Size of a program header of a 64-bit ELF file (elf.h). */
const ENTRY_BYTES = 56

/**
 * Bytes that are certainly needed: the loaded segments of an ELF kernel, or else the size of the file, and the initramfs, which
 * stays in memory as it is until the kernel has unpacked it.
 */
export function leastMemory(kernel: string | undefined, initramfs: string | undefined): number {
  return (kernel === undefined ? 0 : loadedBytes(kernel)) + (initramfs === undefined ? 0 : statSync(initramfs).size)
}

function loadedBytes(kernel: string): number {
  const fileBytes = statSync(kernel).size
  const head = Buffer.concat([fileStart(kernel, HEAD_BYTES)], HEAD_BYTES)
  // 64 bits, little-endian. QEMU reports a damaged kernel.
  if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01' || head.readUInt16LE(0x36) !== ENTRY_BYTES) return fileBytes
  const start = Number(head.readBigUInt64LE(0x20))
  const end = start + ENTRY_BYTES * head.readUInt16LE(0x38)
  if (end > HEAD_BYTES) return fileBytes
  let bytes = 0
  for (let at = start; at < end; at += ENTRY_BYTES) {
    // A loaded segment, and its size in memory.
    if (head.readUInt32LE(at) === 1) bytes += Number(head.readBigUInt64LE(at + 0x28))
  }
  return bytes
}

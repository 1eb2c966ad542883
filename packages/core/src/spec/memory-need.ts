/** Lower bound of the memory that a kernel and its initramfs need. */
import { statSync } from 'node:fs'
import { fileStart } from './file-start.ts'

/** Bytes at the start of a kernel that contain its program headers. */
const HEAD_BYTES = 4096
/** Size of a program header of a 64-bit ELF file (elf.h). */
const ENTRY_BYTES = 56

/**
 * Lower bound, bytes: the loaded segments of an ELF kernel, or the size of another kernel file, plus the size of the
 * initramfs, which stays in memory until the kernel has unpacked it.
 */
export function leastMemory(kernel: string | undefined, initramfs: string | undefined): number {
  return (kernel === undefined ? 0 : loadedBytes(kernel)) + (initramfs === undefined ? 0 : statSync(initramfs).size)
}

function loadedBytes(kernel: string): number {
  const fileBytes = statSync(kernel).size
  const head = Buffer.concat([fileStart(kernel, HEAD_BYTES)], HEAD_BYTES)
  // Only 64-bit little-endian ELF is parsed. QEMU reports a damaged kernel.
  if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01' || head.readUInt16LE(0x36) !== ENTRY_BYTES) return fileBytes
  const start = Number(head.readBigUInt64LE(0x20))
  const end = start + ENTRY_BYTES * head.readUInt16LE(0x38)
  if (end > HEAD_BYTES) return fileBytes
  let bytes = 0
  for (let at = start; at < end; at += ENTRY_BYTES) {
    // Fields `p_type` (1 is PT_LOAD) and `p_memsz`.
    if (head.readUInt32LE(at) === 1) bytes += Number(head.readBigUInt64LE(at + 0x28))
  }
  return bytes
}

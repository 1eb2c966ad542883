/** Minimal initramfs images and programs, written byte by byte. */
import { writeFileSync } from 'node:fs'

const EXECUTABLE_FILE = 0o100755

/**
 * Writes an archive in cpio's newc format (Documentation/driver-api/early-userspace/buffer-format.rst) of these files.
 */
export function writeInitramfs(path: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  const entries = Object.entries(files).map(([name, data]) => entry(name, EXECUTABLE_FILE, Buffer.from(data)))
  writeFileSync(path, Buffer.concat([...entries, entry('TRAILER!!!', 0, Buffer.alloc(0))]))
  return path
}

function entry(name: string, mode: number, data: Buffer): Buffer {
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return Buffer.concat([padded(Buffer.from(header)), padded(data)])
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)])
}

/** Machine numbers of ELF. */
export const ELF_MACHINES = { x86_64: 62, aarch64: 183 } as const

/** An ELF program with these instructions. */
export function program(machine: number, code: readonly number[]): Buffer {
  const headers = Buffer.alloc(120)
  const [base, size] = [0x400000n, BigInt(headers.length + code.length)]
  headers.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  headers.writeUInt16LE(2, 16) //                        e_type: executable
  headers.writeUInt16LE(machine, 18)
  headers.writeUInt32LE(1, 20)
  headers.writeBigUInt64LE(base + 120n, 24) //           e_entry
  headers.writeBigUInt64LE(64n, 32) //                   e_phoff
  headers.writeUInt16LE(64, 52)
  headers.writeUInt16LE(56, 54)
  headers.writeUInt16LE(1, 56)
  headers.writeUInt32LE(1, 64) //                        p_type: load
  headers.writeUInt32LE(5, 68) //                        p_flags: read, execute
  headers.writeBigUInt64LE(base, 80)
  headers.writeBigUInt64LE(base, 88)
  headers.writeBigUInt64LE(size, 96)
  headers.writeBigUInt64LE(size, 104)
  headers.writeBigUInt64LE(0x1000n, 112)
  return Buffer.concat([headers, Buffer.from(code)])
}

/** x86: writes to address 0. */
export const CRASH: readonly number[] = [0xc6, 0x04, 0x25, 0, 0, 0, 0, 1]

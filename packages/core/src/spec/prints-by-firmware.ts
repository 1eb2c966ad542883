/**
 * Distinguishes kernels that print through the firmware of a PC, such as iPXE, from Linux, which drives the console
 * itself.
 */
import { fileStart } from './file-start.ts'

/**
 * Offsets of the Linux boot protocol on x86, which iPXE and others use too: signature, and pointer to the version text.
 */
const [SIGNATURE, VERSION] = [0x202, 0x20e]
/** Bytes that contain the header and its version text. */
const LENGTH = 32_768

/**
 * Whether a machine needs the firmware on its console: if it has no kernel, or if the kernel has a header of the Linux
 * boot protocol but is not Linux. The version text of Linux starts with a digit. False for a file that cannot be read.
 */
export function printsByFirmware(kernel: string | undefined): boolean {
  if (kernel === undefined) return true
  const start = fileStart(kernel, LENGTH)
  if (start.length < SIGNATURE + 32 || start.toString('latin1', SIGNATURE, SIGNATURE + 4) !== 'HdrS') return false
  const version = start.readUInt16LE(VERSION) + 0x200
  return version > 0x200 && version < start.length && !/^\d/.test(start.toString('latin1', version, version + 1))
}

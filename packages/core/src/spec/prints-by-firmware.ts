/** Tells kernels that print by the firmware of a PC, such as iPXE, from a Linux, which has a driver for the console. */
import { fileStart } from './file-start.ts'

/** Offsets of the boot protocol of Linux on x86, which iPXE and others have too: signature, and pointer to the version. */
const [SIGNATURE, VERSION] = [0x202, 0x20e]
/** Bytes that contain the header and its version text. */
const LENGTH = 32_768

/**
 * Whether a machine with this kernel needs the firmware on its console: one without a kernel, or with an image of the boot
 * protocol of Linux that is not a Linux, whose version starts with a digit. A file that cannot be read needs nothing.
 */
export function printsByFirmware(kernel: string | undefined): boolean {
  if (kernel === undefined) return true
  const start = fileStart(kernel, LENGTH)
  if (start.length < SIGNATURE + 32 || start.toString('latin1', SIGNATURE, SIGNATURE + 4) !== 'HdrS') return false
  const version = start.readUInt16LE(VERSION) + 0x200
  return version > 0x200 && version < start.length && !/^\d/.test(start.toString('latin1', version, version + 1))
}

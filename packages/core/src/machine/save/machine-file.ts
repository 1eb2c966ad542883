/** Names of the files in a machine file, in the order in which they are written. */
import { isPlainPath } from './archive.ts'

export const MANIFEST = 'manifest.json'
/** Memory and devices, split into pieces, because tar needs the size of each file before its content. */
export const STATE = 'state/'
/** Console output. After the state, because a running machine is stopped only at the end of its state. */
export const CONSOLE = 'console.log'
/** Files of the devices from the private directory of the machine. */
export const FILES = 'files/'

/** Boot files. At the end, because a host that has the same files does not read them. */
export const BOOT_FILES = ['kernel', 'initramfs', 'firmware'] as const
/** Name of a boot file that is also compressed by itself. Large boot files are not. */
export function compressedName(boot: string): string {
  return `${boot}.compressed`
}

/** Whether a machine file may contain a file of this name. */
export function isMachineFileName(name: string): boolean {
  if (name === MANIFEST || name === CONSOLE) return true
  if (BOOT_FILES.some((boot) => name === boot || name === compressedName(boot))) return true
  return (name.startsWith(FILES) || /^state\/\d{5}$/.test(name)) && isPlainPath(name)
}

export function statePiece(index: number): string {
  return `${STATE}${String(index).padStart(5, '0')}`
}

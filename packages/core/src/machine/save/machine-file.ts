/** Names inside a machine file, in the order in which they are written. */
import { isPlainPath } from './archive.ts'

export const MANIFEST = 'manifest.json'
/** Memory and devices, in pieces: a tar archive has the size of each file before its content. */
export const STATE = 'state/'
/** After the state, because a machine that is saved while it runs is stopped at the end of its state. */
export const CONSOLE = 'console.log'
/** Files that the devices made in the machine's private directory. */
export const FILES = 'files/'

/** At the end, because a host that has them skips them. */
export const BOOT_FILES = ['kernel', 'initramfs', 'firmware'] as const
/** The name of a boot file that is compressed once more on its own. Large ones are not. */
export function compressedName(boot: string): string {
  return `${boot}.compressed`
}

/** Whether a file of this name belongs in a machine file. */
export function isMachineFileName(name: string): boolean {
  if (name === MANIFEST || name === CONSOLE) return true
  if (BOOT_FILES.some((boot) => name === boot || name === compressedName(boot))) return true
  return (name.startsWith(FILES) || /^state\/\d{5}$/.test(name)) && isPlainPath(name)
}

export function statePiece(index: number): string {
  return `${STATE}${String(index).padStart(5, '0')}`
}

/** Check of names that FAT can store unchanged. FatFs strips trailing dots and blanks silently: here they are refused. */

const MAX_UNITS = 255
/** Includes DEL and those beyond ASCII, which are legal: but FatFs opens no name with DEL, and all are likely mistakes. */
const CONTROL = /\p{Cc}/u
const FORBIDDEN = /["*/:<>?\\|]/
/** Matches nearly all valid names, which then need no further check. */
const PLAIN = /^[\w ()+.-]{0,254}[\w()+-]$/
const DEVICE = /^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?:\..*)?$/i

/** The reason why FAT cannot store `name`; undefined for a valid name. */
export function whyInvalid(
  name: string,
  { allowDeviceNames }: { readonly allowDeviceNames: boolean },
): string | undefined {
  const isDevice = !allowDeviceNames && DEVICE.test(name)
  if (!isDevice && PLAIN.test(name)) return undefined
  if (name.length > MAX_UNITS) return `${name.length} UTF-16 units, the most are ${MAX_UNITS}`
  const control = CONTROL.exec(name)?.[0]
  if (control !== undefined) return `control character U+${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  const forbidden = FORBIDDEN.exec(name)?.[0]
  if (forbidden !== undefined) return `reserved character ${forbidden}`
  if (name.endsWith('.')) return 'trailing dot'
  if (name.endsWith(' ')) return 'trailing blank'
  if (!name.isWellFormed()) return 'half of a surrogate pair'
  if (isDevice) return 'a device on Windows; `allowDeviceNames` accepts it'
  return undefined
}

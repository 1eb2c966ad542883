/** Checks whether FAT can store a name unchanged. Refuses trailing dots and blanks, which FatFs would remove silently. */

const MAX_UNITS = 255
/** Also matches DEL and control characters beyond ASCII: legal, but probably mistakes, and FatFs cannot open names with DEL. */
const CONTROL = /\p{Cc}/u
const FORBIDDEN = /["*/:<>?\\|]/
/** Matches nearly all valid names, as a fast first check. */
const PLAIN = /^[\w ()+.-]{0,254}[\w()+-]$/
const DEVICE = /^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?:\..*)?$/i

/** Returns the reason why FAT cannot store `name`; undefined for a valid name. */
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

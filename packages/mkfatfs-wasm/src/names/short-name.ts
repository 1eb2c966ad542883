/**
 * Creates the 8.3 name of each entry. If the long name does not fit, a tail such as `~1` makes the short name unique. From the
 * fifth similar name on, a hash does, so that the time per name does not grow with their number.
 * Source: Microsoft's FAT specification, "The Basis-Name Generation Algorithm".
 */

/** The stored form of a name. */
export interface StoredName {
  /** Eleven ASCII characters: eight of the body and three of the extension, padded with blanks. */
  readonly short: string
  /** Byte 12 of the entry. 0x08: the body is in lower case; 0x10: the extension is in lower case. */
  readonly caseFlags: number
  /** Whether entries of the long name precede it. */
  readonly hasLongName: boolean
}

const LOWER_BODY = 0x08
const LOWER_EXTENSION = 0x10
const SEQUENTIAL_TAILS = 4
const FITS = /^([\w!#$%&'()@^`{}~-]{1,8})(?:\.([\w!#$%&'()@^`{}~-]{1,3}))?$/

/** Number of 32-byte slots of an entry with this name. */
export function slotsFor(name: string): number {
  const fit = FITS.exec(name)
  return fit !== null && flagsOf(fit) !== undefined ? 1 : 1 + Math.ceil(name.length / 13)
}

/** Returns the short names of a directory. Names that fit unchanged have priority over names with a tail. */
export function nameEntries(names: readonly string[]): StoredName[] {
  const taken = new Set<string>()
  const stored = names.map((name): StoredName | undefined => {
    const fit = FITS.exec(name)
    if (fit === null) return undefined
    const short = pad(fit[1] ?? '', fit[2] ?? '').toUpperCase()
    taken.add(short)
    const caseFlags = flagsOf(fit)
    return { short, caseFlags: caseFlags ?? 0, hasLongName: caseFlags === undefined }
  })
  return stored.map((entry, index) => {
    return entry ?? { short: withTail(names[index] ?? '', taken), caseFlags: 0, hasLongName: true }
  })
}

/** Returns the case flags of a name that fits; undefined if a part has mixed case. */
function flagsOf([, body = '', extension = '']: RegExpExecArray): number | undefined {
  let flags = 0
  if (/[a-z]/.test(body)) flags |= LOWER_BODY
  if (/[a-z]/.test(extension)) flags |= LOWER_EXTENSION
  const isMixed = (flags & LOWER_BODY && /[A-Z]/.test(body)) || (flags & LOWER_EXTENSION && /[A-Z]/.test(extension))
  return isMixed ? undefined : flags
}

function withTail(name: string, taken: Set<string>): string {
  const base = name.replace(/^[. ]+/, '')
  const dot = base.lastIndexOf('.')
  const body = squeeze(dot < 0 ? base : base.slice(0, dot)).slice(0, 8)
  const extension = squeeze(dot < 0 ? '' : base.slice(dot + 1)).slice(0, 3)
  for (let attempt = 1; ; attempt++) {
    const short = pad(
      attempt <= SEQUENTIAL_TAILS ? `${body.slice(0, 6)}~${attempt}` : hashed(name, body, attempt),
      extension,
    )
    if (!taken.has(short)) {
      taken.add(short)
      return short
    }
  }
}

function hashed(name: string, body: string, attempt: number): string {
  let hash = 0x811c9dc5 ^ attempt
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  const digits = ((hash ^ (hash >>> 16)) & 0xffff).toString(16).toUpperCase().padStart(4, '0')
  return `${body.slice(0, 2)}${digits}~1`
}

function squeeze(part: string): string {
  return part
    .replace(/[. ]+/g, '')
    .replace(/[^\w!#$%&'()@^`{}~-]/gu, '_')
    .toUpperCase()
}

function pad(body: string, extension: string): string {
  return body.padEnd(8) + extension.padEnd(3)
}

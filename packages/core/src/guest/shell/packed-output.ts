/** Decodes command output that the shell functions sent over the console, and verifies its checksum. */
import { crc32, inflateRawSync } from 'node:zlib'
import { withoutForeignText, withoutKernelMessages } from './kernel-messages.ts'

/** Decoded standard output and standard error. */
export interface Outputs {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/** Line width of each encoding, and the characters outside its alphabet. base64 of GNU and busybox wraps at 76. */
const ENCODINGS: Readonly<Record<string, readonly [width: number, foreign: RegExp]>> = {
  base64: [76, /[^A-Za-z0-9+/=]/],
  hex: [Infinity, /[^0-9a-fA-F \t]/],
}

/**
 * @param codec name of the encoding: `gzip-base64`, `hex`, …
 * @returns undefined if the data is damaged
 */
export function unpackOutputs(codec: string, text: string): Outputs | undefined {
  const zipped = codec.startsWith('gzip-')
  const encoding = zipped ? codec.slice(5) : codec
  const parts = text.split('\x1d')
  return zipped ? unzip(decode(encoding, parts[0] ?? '')) : unpackPlain(encoding, parts)
}

function decode(encoding: string, text: string): Buffer {
  const [width, foreign] = ENCODINGS[encoding] ?? [Infinity, /$^/]
  const clean = withoutForeignText(withoutKernelMessages(text).replaceAll('\r', ''), foreign, width)
  return encoding === 'base64' ? Buffer.from(clean, 'base64') : Buffer.from(clean.replace(/\s+/g, ''), 'hex')
}

function unpackPlain(encoding: string, [out = '', err = '', sizes = '']: readonly string[]): Outputs | undefined {
  const [outSize, errSize] = withoutKernelMessages(sizes).trim().split(/\s+/).map(Number)
  const [stdout, stderr] = [decode(encoding, out), decode(encoding, err)]
  return stdout.length === outSize && stderr.length === errSize ? { stdout, stderr } : undefined
}

function unzip(bytes: Buffer): Outputs | undefined {
  try {
    const stdout = gunzipMember(bytes)
    const stderr = gunzipMember(bytes.subarray(stdout.end))
    return { stdout: stdout.data, stderr: stderr.data }
  } catch {
    return undefined
  }
}

/**
 * Decodes one of several gzip members (RFC 1952) and verifies its checksum. Node's gunzip would join the members.
 * @throws Error if the member is damaged
 */
function gunzipMember(bytes: Buffer): { readonly data: Buffer; readonly end: number } {
  const start = headerLength(bytes)
  // The types of Node lack the result of the option `info`.
  const inflated: unknown = inflateRawSync(bytes.subarray(start), { info: true })
  const { buffer: data, engine } = inflated as {
    readonly buffer: Buffer
    readonly engine: { readonly bytesWritten: number }
  }
  const trailer = start + engine.bytesWritten
  if (crc32(data) !== bytes.readUInt32LE(trailer) || data.length % 2 ** 32 !== bytes.readUInt32LE(trailer + 4)) {
    throw new Error('the checksum differs')
  }
  return { data, end: trailer + 8 }
}

const HAS_EXTRA = 4
const HAS_NAME = 8
const HAS_COMMENT = 16
const HAS_CHECKSUM = 2

function headerLength(bytes: Buffer): number {
  if (bytes.readUInt16BE(0) !== 0x1f8b) throw new Error('not gzip')
  const flags = bytes.readUInt8(3)
  let at = 10
  if (flags & HAS_EXTRA) at += 2 + bytes.readUInt16LE(at)
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (flags & flag) at = bytes.indexOf(0, at) + 1
  }
  return flags & HAS_CHECKSUM ? at + 2 : at
}

/** Unpacks what a guest packed for its way over the console, and knows whether it arrived whole. */
import { crc32, inflateRawSync } from 'node:zlib'
import { withoutForeignText, withoutKernelMessages } from './kernel-messages.ts'

/** What was packed. */
export interface Outputs {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/** Width of the lines of each encoding, and what it does not use. GNU's and busybox's base64 break lines at 76. */
const ENCODINGS: Readonly<Record<string, readonly [width: number, foreign: RegExp]>> = {
  base64: [76, /[^A-Za-z0-9+/=]/],
  hex: [Infinity, /[^0-9a-fA-F \t]/],
}

/**
 * @param codec as the shell named it: `gzip-base64`, `hex`, …
 * @returns undefined when it did not arrive whole
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
 * One of several members in a row (RFC 1952), its checksum compared. Node's own gunzip joins them.
 * @throws Error of any kind when it is not whole
 */
function gunzipMember(bytes: Buffer): { readonly data: Buffer; readonly end: number } {
  const start = headerLength(bytes)
  // The types leave out the form of the result that `info` asks for.
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

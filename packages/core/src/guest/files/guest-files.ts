/** Transfers single files between test and guest, by an agent or by commands, and verifies their content. */
import { gzipSync } from 'node:zlib'
import { nodeCrypto } from '../../host/lazy-node.ts'
import type { CommandTransport } from '../command-transport.ts'
import { decodeOutput, type Guest } from '../guest.ts'
import { type OutputOf, quoteWord } from '../run-options.ts'
import { Interrupted } from '../waiting.ts'
import {
  checkFileData,
  checkGuestPath,
  checkReadOptions,
  checkWriteOptions,
  type FileOptions,
  type ReadFileOptions,
  type WriteFileOptions,
} from './file-options.ts'
import { abortedTransfer, type FileRequest } from './file-transport.ts'
import { explained, GuestFileError } from './guest-file-error.ts'

/** Default timeout of a transfer: a constant, plus a time for each byte. Milliseconds. */
const LEAST_MS = 60_000
const MS_A_BYTE = 1 / 1000

/** Larger files are compressed, because a serial console transfers about 40 kB per second. Bytes. */
const LEAST_ZIPPED = 2_000

/** Locale for commands, so that error messages are in English. */
export const PLAIN_WORDS: Readonly<Record<string, string>> = { LC_ALL: 'C' }

/** Timeout for a transfer of this many bytes, milliseconds. */
export function transferTimeout({ timeout }: FileOptions, bytes: number): number {
  return timeout ?? LEAST_MS + bytes * MS_A_BYTE
}

/**
 * Checks the arguments of `vm.writeFile`, then writes the file.
 * @throws GuestFileError; OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function writeFile(
  guest: Guest,
  path: string,
  data: string | Uint8Array,
  options: WriteFileOptions,
): Promise<void> {
  checkGuestPath('writeFile', path)
  checkFileData('writeFile', data)
  checkWriteOptions(options)
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  await writeGuestFile(guest, path, bytes, options.mode, options)
}

/**
 * Checks the arguments of `vm.readFile`, then reads the file.
 * @throws GuestFileError; OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function readFile<const Options extends ReadFileOptions>(
  guest: Guest,
  path: string,
  options: Options,
): Promise<OutputOf<Options>> {
  checkGuestPath('readFile', path)
  checkReadOptions(options)
  return decodeOutput(await readGuestFile(guest, path, options), options.encoding) as OutputOf<Options>
}

/**
 * Writes or replaces a file.
 *
 * @param mode permission bits; undefined to keep those of an existing file, or use the default of the guest
 * @throws GuestFileError
 */
export async function writeGuestFile(
  guest: Guest,
  path: string,
  bytes: Uint8Array,
  mode: number | undefined,
  options: FileOptions,
): Promise<void> {
  const transport = guest.transport(options.via)
  await explained(guest, path, 'written', async () => {
    await waitForReady(guest, options.signal)
    if (transport.files) return transport.files.write(fileRequest(guest, path, bytes.length, options), bytes, mode)
    const text = await writeByCommand(guest, transport, path, bytes, mode, options)
    if (!isSumOf(text, bytes)) {
      throw new GuestFileError(
        'GUEST_FILE_FAILED',
        `${path} in "${guest.name}" could not be written: the content in the guest differs from the content that was sent`,
        path,
      )
    }
  })
}

async function writeByCommand(
  guest: Guest,
  { via }: CommandTransport,
  path: string,
  bytes: Uint8Array,
  mode: number | undefined,
  options: FileOptions,
): Promise<string> {
  const zipped = bytes.length > LEAST_ZIPPED ? gzipSync(bytes, { level: 1 }) : undefined
  const to = quoteWord(path)
  const change = mode === undefined ? '' : `chmod ${mode.toString(8)} ${to} && `
  // Files in /proc and /sys do not return the content that was written, so they are not verified.
  const check = /^\/(proc|sys)\//.test(path) ? ':' : `if [ -f ${to} ]; then ${SUM} <${to}; fi`
  const command = `${zipped ? 'gzip -dc' : 'cat'} >${to} && ${change}${check}`
  const { stdout } = await guest.run(command, {
    via,
    timeout: transferTimeout(options, bytes.length),
    signal: options.signal,
    env: PLAIN_WORDS,
    input: zipped ?? bytes,
  })
  return stdout
}

/**
 * Reads a file.
 * @throws GuestFileError
 */
export async function readGuestFile(guest: Guest, path: string, options: FileOptions): Promise<Uint8Array> {
  const transport = guest.transport(options.via)
  return explained(guest, path, 'read', async () => {
    await waitForReady(guest, options.signal)
    if (transport.files) return transport.files.read(fileRequest(guest, path, 0, options))
    const timeout = transferTimeout(options, 0)
    const { signal } = options
    const command = `cat ${quoteWord(path)}`
    return (await guest.run(command, { via: transport.via, timeout, signal, env: PLAIN_WORDS, encoding: 'buffer' }))
      .stdout
  })
}

/** @throws FileFailure when the signal aborts */
async function waitForReady(guest: Guest, signal: AbortSignal | undefined): Promise<void> {
  try {
    await guest.ready(signal)
  } catch (error) {
    throw error instanceof Interrupted ? abortedTransfer(error.cause) : error
  }
}

function fileRequest(guest: Guest, path: string, bytes: number, options: FileOptions): FileRequest {
  return { path, timeoutMs: guest.scale(transferTimeout(options, bytes)), signal: guest.signal(options.signal) }
}

// The best checksum for which the guest has a tool, or the size.
const SUM = '{ sha256sum || md5sum || wc -c; } 2>/dev/null'

function isSumOf(text: string, bytes: Uint8Array): boolean {
  const [sum = ''] = text.trim().split(/\s+/)
  // A device or a pipe is not verified.
  if (text === '') return true
  if (/^[\da-f]{64}$/.test(sum)) return sum === nodeCrypto().createHash('sha256').update(bytes).digest('hex')
  if (/^[\da-f]{32}$/.test(sum)) return sum === nodeCrypto().createHash('md5').update(bytes).digest('hex')
  return Number(sum) === bytes.length
}

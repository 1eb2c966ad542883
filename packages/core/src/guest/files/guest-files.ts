/**
 * Single files between the test and the guest, without a network: by way of an agent directly, else by commands that read
 * their input or print. What arrives is compared with what was sent.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { CommandTransport } from '../command-transport.ts'
import type { Guest } from '../guest.ts'
import { quoteWord } from '../run-options.ts'
import type { FileOptions } from './file-options.ts'
import type { FileRequest } from './file-transport.ts'
import { explained, GuestFileError } from './guest-file-error.ts'

/** Moving takes at least so long before it is given up, by default, and this for each byte more. Milliseconds. */
const LEAST_MS = 60_000
const MS_A_BYTE = 1 / 1000

/** What is longer goes packed, bytes: a serial console takes some 40 kB a second. */
const LEAST_ZIPPED = 2_000

/** How the guest says why: every C library has the same words for it in this language. */
export const PLAIN_WORDS: Readonly<Record<string, string>> = { LC_ALL: 'C' }

/** How long moving so many bytes may take, milliseconds. */
export function transferTimeout({ timeout }: FileOptions, bytes: number): number {
  return timeout ?? LEAST_MS + bytes * MS_A_BYTE
}

/**
 * Writes a file, whole, over one that is there.
 *
 * @param mode permission bits; undefined: those of a file that is there, or the guest's own for a new one
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
  const what = `${path} in "${guest.name}" could not be written`
  await guest.ready()
  await explained(what, path, async () => {
    if (transport.files) return transport.files.write(fileRequest(guest, path, bytes.length, options), bytes, mode)
    const text = await writeByCommand(guest, transport, path, bytes, mode, options)
    if (!isSumOf(text, bytes)) {
      throw new GuestFileError(
        'GUEST_FILE_FAILED',
        `${what}: the content in the guest differs from the content that was sent`,
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
  // What is written to a file of the kernel is an order, and what is read there its answer.
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
 * Reads a file, whole. One way prints it with a checksum, others carry it as it is.
 * @throws GuestFileError
 */
export async function readGuestFile(guest: Guest, path: string, options: FileOptions): Promise<Uint8Array> {
  const transport = guest.transport(options.via)
  await guest.ready()
  return explained(`${path} in "${guest.name}" could not be read`, path, async () => {
    if (transport.files) return transport.files.read(fileRequest(guest, path, 0, options))
    const timeout = transferTimeout(options, 0)
    const { signal } = options
    const command = `cat ${quoteWord(path)}`
    return (await guest.run(command, { via: transport.via, timeout, signal, env: PLAIN_WORDS, encoding: 'buffer' }))
      .stdout
  })
}

function fileRequest(guest: Guest, path: string, bytes: number, options: FileOptions): FileRequest {
  return { path, timeoutMs: guest.scale(transferTimeout(options, bytes)), signal: guest.signal(options.signal) }
}

// The best that the guest has. Without any of them the size is compared.
const SUM = '{ sha256sum || md5sum || wc -c; } 2>/dev/null'

function isSumOf(text: string, bytes: Uint8Array): boolean {
  const [sum = ''] = text.trim().split(/\s+/)
  // A device or a pipe is not read back.
  if (text === '') return true
  if (/^[\da-f]{64}$/.test(sum)) return sum === createHash('sha256').update(bytes).digest('hex')
  if (/^[\da-f]{32}$/.test(sum)) return sum === createHash('md5').update(bytes).digest('hex')
  return Number(sum) === bytes.length
}

/** Files and directory trees between the host and the guest: a tree goes as a tar archive, and each file is compared. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { OptionError } from '../../errors.ts'
import type { Guest } from '../guest.ts'
import { quoteWord } from '../run-options.ts'
import type { FileOptions } from './file-options.ts'
import { explained } from './guest-file-error.ts'
import { PLAIN_WORDS, readGuestFile, transferTimeout, writeGuestFile } from './guest-files.ts'

const MODE_BITS = 0o7777
/** What a guest may say of a file on the host. */
const PERMISSIONS = 0o777

/**
 * Makes `guestPath` a copy of a file or directory of the host.
 * @throws OptionError `FILE_MISSING`; GuestFileError
 */
export async function copyIn(guest: Guest, hostPath: string, guestPath: string, options: FileOptions): Promise<void> {
  const stats = await stat(hostPath).catch((cause: unknown) => {
    throw new OptionError('FILE_MISSING', `copyIn: ${hostPath} cannot be read`, { cause })
  })
  if (!stats.isDirectory()) {
    const target = guestPath.endsWith('/') ? `${guestPath}${basename(hostPath)}` : guestPath
    await runFor(guest, target, `mkdir -p ${quoteWord(dirname(target))}`, options)
    await writeGuestFile(guest, target, await readFile(hostPath), stats.mode & MODE_BITS, options)
    return
  }
  const { packTar } = await import('modern-tar/fs')
  const archive = await buffer(packTar(hostPath))
  const to = quoteWord(guestPath)
  await runFor(guest, guestPath, `mkdir -p ${to} && tar -xopf - -C ${to}`, options, archive)
  // Tools write names with a line break or a backslash in different ways.
  const files = (await filesBelow(hostPath)).filter((name) => !/[\n\\]/.test(name))
  if (files.length === 0) return
  let sums = ''
  for (const name of files) sums += `${sha256(await readFile(join(hostPath, name)))}  ./${name}\n`
  const check = `cd ${to} && { command -v sha256sum >/dev/null || exit 0; } && sha256sum -c >/dev/null`
  await runFor(guest, guestPath, check, options, Buffer.from(sums))
}

/**
 * Makes `hostPath` a copy of a file or directory of the guest.
 * @throws GuestFileError
 */
export async function copyOut(guest: Guest, guestPath: string, hostPath: string, options: FileOptions): Promise<void> {
  const from = quoteWord(guestPath)
  const ask = `if [ -d ${from} ]; then echo directory; else stat -L -c %a ${from} 2>/dev/null; fi; :`
  const kind = (await runFor(guest, guestPath, ask, options)).toString().trim()
  if (kind !== 'directory') {
    const target = hostPath.endsWith('/') ? join(hostPath, basename(guestPath)) : hostPath
    const bytes = await readGuestFile(guest, guestPath, options)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, bytes, { mode: Number.parseInt(kind || '644', 8) & PERMISSIONS })
    return
  }
  const archive = await runFor(guest, guestPath, `tar -cf - -C ${from} .`, options)
  const { unpackTar } = await import('modern-tar/fs')
  await mkdir(hostPath, { recursive: true })
  await pipeline(Readable.from([archive]), unpackTar(hostPath))
}

async function runFor(
  guest: Guest,
  guestPath: string,
  command: string,
  options: FileOptions,
  input?: Uint8Array,
): Promise<Buffer> {
  const { way, signal } = options
  const timeout = transferTimeout(options, input?.length ?? 0)
  return explained(`${guestPath} in “${guest.name}” could not be copied`, guestPath, async () => {
    const runOptions = { way, signal, timeout, env: PLAIN_WORDS, input, encoding: 'buffer' } as const
    return Buffer.from((await guest.run(command, runOptions)).stdout)
  })
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => relative(directory, join(parentPath, name)))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

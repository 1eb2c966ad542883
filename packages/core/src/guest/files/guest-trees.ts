/**
 * Copies files and directory trees between host and guest. A tree is sent as a tar archive, and each file is verified.
 */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { messageOf, OptionError } from '../../errors.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { checkPath } from '../../options/required-path.ts'
import type { Guest } from '../guest.ts'
import { quoteWord } from '../run-options.ts'
import { checkFileOptions, checkGuestPath, type FileOptions } from './file-options.ts'
import { explained, GuestFileError } from './guest-file-error.ts'
import { PLAIN_WORDS, readGuestFile, transferTimeout, writeGuestFile } from './guest-files.ts'
import { KEEPING, unpackTree } from './unpack-tree.ts'

const MODE_BITS = 0o7777
/** Mode bits that are copied to the host. */
const PERMISSIONS = 0o777

/**
 * Makes `guestPath` a copy of a file or directory of the host.
 * @throws OptionError `FILE_MISSING`, `INVALID_OPTION`, `UNKNOWN_OPTION`; GuestFileError
 */
export async function copyIn(guest: Guest, hostPath: string, guestPath: string, options: FileOptions): Promise<void> {
  checkPath('copyIn: hostPath', hostPath)
  checkGuestPath('copyIn', guestPath)
  checkFileOptions('copyIn', options)
  const stats = await fromHost(hostPath, () => stat(hostPath))
  const mode = stats.mode & MODE_BITS
  // A pipe or a device may have no end.
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new OptionError('INVALID_OPTION', `copyIn: ${hostPath} is neither a file nor a directory`)
  }
  if (stats.isDirectory()) return copyTreeIn(guest, hostPath, guestPath, options)
  const target = guestPath.endsWith('/') ? `${guestPath}${basename(hostPath)}` : guestPath
  const bytes = await fromHost(hostPath, () => readFile(hostPath))
  await runFor(guest, target, `mkdir -p ${quoteWord(dirname(target))}`, options)
  await writeGuestFile(guest, target, bytes, mode, options)
}

async function copyTreeIn(guest: Guest, tree: string, guestPath: string, options: FileOptions): Promise<void> {
  const { pack } = await import('tar-fs')
  const { archive, sums } = await fromHost(tree, async () => {
    // The archive has no entry for the tree itself, so the permissions of an existing directory do not change.
    const entries = await readdir(tree)
    return { archive: await buffer(pack(tree, { ...KEEPING, entries })), sums: await sumsBelow(tree) }
  })
  const to = quoteWord(guestPath)
  const unpack = `tar -xopf - -C ${to}`
  // Compressed only for the console, which transfers about 40 kB per second. With an agent, unpacking would be slower.
  const isPacked = guest.transport(options.via).via === 'shell'
  const [input, command] = isPacked ? [gzipSync(archive), `gzip -dc | ${unpack}`] : [archive, unpack]
  await runFor(guest, guestPath, `mkdir -p ${to} && ${command}`, options, input)
  if (sums === '') return
  const check = `cd ${to} && { command -v sha256sum >/dev/null || exit 0; } && sha256sum -c >/dev/null`
  await runFor(guest, guestPath, check, options, Buffer.from(sums))
}

/**
 * Makes `hostPath` a copy of a file or directory of the guest.
 * @throws GuestFileError; OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function copyOut(guest: Guest, guestPath: string, hostPath: string, options: FileOptions): Promise<void> {
  checkGuestPath('copyOut', guestPath)
  checkPath('copyOut: hostPath', hostPath)
  checkFileOptions('copyOut', options)
  const from = quoteWord(guestPath)
  const ask = `if [ -d ${from} ]; then echo directory; else stat -L -c %a ${from} 2>/dev/null; fi; :`
  const kind = (await runFor(guest, guestPath, ask, options)).toString().trim()
  if (kind === 'directory') {
    const archive = await runFor(guest, guestPath, `tar -cf - -C ${from} .`, options)
    await toHost(guest, guestPath, hostPath, () => unpackTree(archive, hostPath))
    return
  }
  const target = hostPath.endsWith('/') ? join(hostPath, basename(guestPath)) : hostPath
  const bytes = await readGuestFile(guest, guestPath, options)
  await toHost(guest, guestPath, target, async () => {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, bytes)
    if (/^[0-7]+$/.test(kind)) await chmod(target, Number.parseInt(kind, 8) & PERMISSIONS)
  })
}

async function runFor(
  guest: Guest,
  guestPath: string,
  command: string,
  options: FileOptions,
  input?: Uint8Array,
): Promise<Buffer> {
  const { via, signal } = options
  const timeout = transferTimeout(options, input?.length ?? 0)
  return explained(guest, guestPath, 'copied', async () => {
    const runOptions = { via, signal, timeout, env: PLAIN_WORDS, input, encoding: 'buffer' } as const
    return Buffer.from((await guest.run(command, runOptions)).stdout)
  })
}

async function fromHost<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new OptionError('FILE_MISSING', `copyIn: ${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

async function toHost(guest: Guest, path: string, hostPath: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    const what = `${path} in "${guest.name}" could not be copied to ${hostPath}: ${messageOf(cause)}`
    throw new GuestFileError('GUEST_FILE_FAILED', what, path, { cause, hint: "The host's error is in the message." })
  }
}

/**
 * Input for `sha256sum -c`. Names with a line break or a backslash are omitted, because tools escape them differently.
 */
async function sumsBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  let sums = ''
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(directory, path)
    if (!entry.isFile() || /[\n\\]/.test(name)) continue
    const sum = nodeCrypto()
      .createHash('sha256')
      .update(await readFile(path))
    sums += `${sum.digest('hex')}  ./${name}\n`
  }
  return sums
}

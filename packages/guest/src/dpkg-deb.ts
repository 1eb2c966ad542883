/**
 * Reads Debian packages with the host's `dpkg-deb`. Also unpacks the xz streams of kernels with it, because they use a filter
 * (x86 BCJ) that decoders in JavaScript do not support.
 */

import type { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { StartError } from '@coldboot/core'
import { ExecaError, execa } from 'execa'
import { extract, type Header } from 'tar-stream'

/** A file, directory or link of a package. */
export interface DebMember {
  /** Without a leading `./`: `boot/vmlinuz-6.1.0-56-amd64`. */
  readonly path: string
  readonly type: string
  /** Reads the content. Only possible until the visitor's promise settles. */
  read(): Promise<Uint8Array>
}

/**
 * Calls `visit` for each file of a package, in archive order, without unpacking the package to disk.
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when there is no `dpkg-deb`, or it cannot read the package
 */
export async function readDeb(path: string, visit: (member: DebMember) => Promise<void>): Promise<void> {
  const subprocess = execa('dpkg-deb', ['--fsys-tarfile', path], { stdin: 'ignore', buffer: { stdout: false } })
  const walk = async (): Promise<void> => {
    const tar = extract()
    subprocess.stdout.once('error', (error) => tar.destroy(error))
    subprocess.stdout.pipe(tar as unknown as Writable)
    for await (const entry of tar as unknown as AsyncIterable<Readable & { readonly header: Header }>) {
      const { name, type } = entry.header
      await visit({ path: name.replace(/^\.?\//, '').replace(/\/$/, ''), type, read: () => buffer(entry) })
      // The archive's next entry follows after this one was read.
      entry.resume()
    }
  }
  try {
    await Promise.all([walk(), subprocess])
  } catch (cause) {
    subprocess.kill()
    throw cause instanceof ExecaError ? unreadable(`Cannot read the package ${path}`, cause) : cause
  }
}

/** Returns a field of the control file of a package. @throws StartError as {@link readDeb} */
export async function readDebField(path: string, field: string): Promise<string> {
  try {
    return (await execa('dpkg-deb', ['--field', path, field])).stdout.trim()
  } catch (cause) {
    throw cause instanceof ExecaError ? unreadable(`Cannot read the package ${path}`, cause) : cause
  }
}

/**
 * Unpacks an xz stream, with any filter.
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` as {@link readDeb}, or when the stream is damaged
 */
export async function unxzByDpkg(stream: Uint8Array): Promise<Uint8Array> {
  try {
    const { stdout } = await execa('dpkg-deb', ['--fsys-tarfile', '-'], {
      input: packageAround(stream),
      encoding: 'buffer',
      maxBuffer: 1 << 30,
    })
    return stdout
  } catch (cause) {
    throw cause instanceof ExecaError ? unreadable('Cannot unpack the xz stream', cause) : cause
  }
}

// dpkg-deb decompresses the data member of a package without checking that it is a tar archive.
function packageAround(stream: Uint8Array): Uint8Array {
  const empty = new Uint8Array(0)
  const members = { 'debian-binary': Buffer.from('2.0\n'), 'control.tar': empty, 'data.tar.xz': stream }
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')]
  for (const [name, data] of Object.entries(members)) {
    // ar(5): name, time, owner, group, mode, length, end mark; data is padded to an even length.
    const fields = [name.padEnd(16), '0'.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)]
    parts.push(Buffer.from(`${fields.join('')}${String(data.length).padEnd(10)}\`\n`), data)
    if (data.length % 2 === 1) parts.push(Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

// No `cause`: test runners print all properties of an ExecaError, and the message already contains the reason.
function unreadable(what: string, cause: ExecaError): StartError {
  if (cause.code === 'ENOENT') {
    return new StartError(
      'GUEST_KERNEL_UNAVAILABLE',
      `${what}: there is no \`dpkg-deb\` on this host, so it is not Debian`,
    )
  }
  const said = String(cause.stderr)
    .trim()
    .replace(/^dpkg-deb[^:]*: (?:error: )?/, '')
  return new StartError('GUEST_KERNEL_UNAVAILABLE', `${what}: dpkg-deb says "${said || cause.shortMessage}"`, {
    hint: 'The package is probably damaged. Copy or build it again. If it is in the cache folder, delete it: it is then downloaded again.',
  })
}

/** Unpacks an untrusted tar archive from a guest into a directory of the host. */
import { lstatSync, unlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Only files, directories and links are copied. Links are not followed, and owners are not kept. */
export const KEEPING = { strict: false, umask: 0, chown: false, validateSymlinks: false } as const

/** @throws the system's error; an error of tar-fs for entries outside of the directory */
export async function unpackTree(archive: Uint8Array, directory: string): Promise<void> {
  const { extract } = await import('tar-fs')
  const root = resolve(directory)
  await mkdir(root, { recursive: true })
  await pipeline(Readable.from([archive]), extract(root, { ...KEEPING, ignore: withoutLink }))

  // If a link has the name of a directory of the archive, tar-fs would change the mode and the time of its target.
  function withoutLink(path: string, header?: { readonly type?: string | null | undefined }): boolean {
    // `resolve` removes a slash at the end, with which the system would follow the link.
    const name = resolve(path)
    if (header?.type !== 'directory' || name === root) return false
    if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true) unlinkSync(name)
    return false
  }
}

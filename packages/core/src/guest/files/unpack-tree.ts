/** Unpacks the tar archive of a tree that comes from a guest, and is not trusted, into a directory of the host. */
import { lstatSync, unlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Only files, directories and links are copied. Links are not followed, and owners are not kept. */
export const KEEPING = { strict: false, umask: 0, chown: false, validateSymlinks: false } as const

/** @throws the system's error; an error of tar-fs for entries that would lead out of the directory */
export async function unpackTree(archive: Uint8Array, directory: string): Promise<void> {
  const { extract } = await import('tar-fs')
  const root = resolve(directory)
  await mkdir(root, { recursive: true })
  await pipeline(Readable.from([archive]), extract(root, { ...KEEPING, ignore: withoutLink }))

  // For a directory with the name of a link, tar-fs would change the mode and the time of the link's target.
  function withoutLink(path: string, header?: { readonly type?: string | null | undefined }): boolean {
    // Without a slash at the end, which would follow the link.
    const name = resolve(path)
    if (header?.type !== 'directory' || name === root) return false
    if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true) unlinkSync(name)
    return false
  }
}

/** Adds the script that starts another root file system, and a root that is in memory, to the initramfs of a guest. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { OptionError } from '@coldboot/core'
import { type Cache, readEnvironment, type StoredFile } from '@coldboot/core/internal'
import { writeCpio } from '../cpio.ts'
import { storedImage } from '../image-store.ts'
import type { LinuxGuest } from '../linux-guest.ts'
import { ROOT_SCRIPT_PATH } from './root-script.ts'

/** Parts of the joined initramfs. */
export interface InitramfsPartsOfRoot {
  readonly guest: LinuxGuest
  readonly script: string
  /** Cached archive of a root that is in memory. */
  readonly root?: StoredFile | undefined
}

/** Returns the cached initramfs of these parts, or builds it. */
export function joinedInitramfs(cache: Cache, { guest, script, root }: InitramfsPartsOfRoot): Promise<StoredFile> {
  // The file name of the guest's initramfs contains a hash of its input.
  const key = sha256(JSON.stringify([basename(guest.initramfs), script, root?.sha256 ?? ''])).slice(0, 32)
  return storedImage(cache, `${guest.arch}-root-${key}`, async () => {
    const entry = { type: 'file', path: ROOT_SCRIPT_PATH, mode: 0o755, data: Buffer.from(script) } as const
    // The kernel unpacks concatenated archives.
    const parts = [await readFile(guest.initramfs), writeCpio([entry])]
    if (root !== undefined) parts.push(await readFile(cache.path(root.name)))
    return Buffer.concat(parts)
  })
}

/** Kernel arguments that start the script. */
export function rootKernelArgs({ kernelArgs }: LinuxGuest): string {
  return `${kernelArgs} rdinit=/${ROOT_SCRIPT_PATH}`
}

/** @throws OptionError `INVALID_OPTION` if COLDBOOT_INITRAMFS is set, because such an initramfs cannot start another root */
export function requireOwnInitramfs(owner: string): void {
  if (readEnvironment().initramfs === undefined) return
  const hint = 'Unset it: the root is started by the initramfs of coldboot.'
  throw new OptionError('INVALID_OPTION', `${owner} cannot be used, because COLDBOOT_INITRAMFS is set`, { hint })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

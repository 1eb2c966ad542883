/** Finds a static busybox, the userland of a guest, in the guest's package, on the host or in Debian's archive. */
import { readFile } from 'node:fs/promises'
import { type Architecture, StartError } from '@coldboot/core'
import { type Cache, hostArchitecture, nodeCrypto, type StoredFile } from '@coldboot/core/internal'
import { GUEST_ARCHITECTURES } from './architectures.ts'
import { isStaticElf } from './elf.ts'
import { type GuestPackage, readPackagedBusybox } from './guest-package.ts'
import type { OnGuestProgress } from './progress.ts'

/** Where distributions install a static busybox. */
const HOST_PATHS = ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static']
const PACKAGE = 'busybox-static'

/** A static busybox. */
export interface Busybox {
  /** Hex. */
  readonly sha256: string
  /** The whole file. Needed only when an image is built. */
  read(): Promise<Uint8Array>
}

/** Input of {@link findBusybox}. */
export interface BusyboxRequest {
  readonly arch: Architecture
  readonly cache: Cache
  /** The installed guest package. */
  readonly guest: GuestPackage | undefined
  readonly onProgress: OnGuestProgress
}

/** @throws StartError `GUEST_KERNEL_UNAVAILABLE` when none is found */
export async function findBusybox({ arch, cache, guest, onProgress }: BusyboxRequest): Promise<Busybox> {
  if (guest !== undefined) {
    return { sha256: guest.description.busybox.sha256, read: () => readPackagedBusybox(guest) }
  }
  if (arch === hostArchitecture()) {
    for (const path of HOST_PATHS) {
      const data = await readFile(path).catch(() => undefined)
      if (!data || !isStaticElf(data)) continue
      return { sha256: nodeCrypto().createHash('sha256').update(data).digest('hex'), read: async () => data }
    }
  }
  const record = `busybox/${arch}.json`
  const stored = async (): Promise<StoredFile | undefined> => {
    const known = (await cache.readJson(record)) as StoredFile | undefined
    return known && (await cache.holds(known)) ? known : undefined
  }
  const make = async (): Promise<StoredFile> => {
    const made = await stored()
    if (made) return made
    const file = await cache.publish(`busybox/${arch}`, await fetchBusybox(arch, cache, onProgress))
    await cache.publish(record, JSON.stringify(file))
    return file
  }
  const { name, sha256 } = (await stored()) ?? (await cache.locked(record, make))
  return { sha256, read: () => readFile(cache.path(name)) }
}

/** Names of the programs in a busybox. Read from the table in the file, because the host may be unable to run the file. */
export function appletNames(busybox: Uint8Array): string[] {
  const data = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength)
  const first = '[\0[[\0'
  // The table does not always follow a NUL, and its first names may also occur elsewhere in the file.
  for (let start = data.indexOf(first); start !== -1; start = data.indexOf(first, start + 1)) {
    const names = data.toString('latin1', start, data.indexOf('\0\0', start)).split('\0')
    if (['sh', 'mount', 'modprobe'].every((name) => names.includes(name))) return names
  }
  throw new StartError('GUEST_KERNEL_UNAVAILABLE', 'The busybox found here lacks sh, mount or modprobe', {
    hint: `Install Debian's ${PACKAGE}.`,
  })
}

async function fetchBusybox(arch: Architecture, cache: Cache, onProgress: OnGuestProgress): Promise<Uint8Array> {
  const [{ openArchive }, { readDeb }] = await Promise.all([import('./apt.ts'), import('./dpkg-deb.ts')])
  const { debianName } = GUEST_ARCHITECTURES[arch]
  return cache.scratch(async (scratch) => {
    onProgress({ step: 'resolve', message: `Looking up ${PACKAGE} for ${debianName}` })
    const archive = await openArchive(debianName, scratch)
    const found = await archive.find(PACKAGE)
    onProgress({ step: 'download', message: `Downloading ${PACKAGE} ${found.version} for ${debianName}` })
    let data: Uint8Array | undefined
    await readDeb(await archive.download(found), async (member) => {
      if (/^(?:usr\/)?bin\/busybox$/.test(member.path) && member.type === 'file') data = await member.read()
    })
    if (data) return data
    throw new StartError('GUEST_KERNEL_UNAVAILABLE', `${PACKAGE} ${found.version} has no busybox in it`)
  })
}

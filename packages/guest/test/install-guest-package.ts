/** Installs a small guest package in a `node_modules` directory, for tests that find and read such packages. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Architecture } from '@coldboot/core'
import type { GuestDescription, PackagedFile, PackagedModules } from '../src/guest-package.ts'

/** The parts of a static busybox that coldboot reads: an ELF header and the table of programs. */
export const STATIC_BUSYBOX: Uint8Array = Buffer.concat([
  // 64 bits, little-endian, without program headers and thus without a loader.
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]),
  Buffer.alloc(64),
  Buffer.from('\0[\0[[\0modprobe\0mount\0sh\0\0'),
])

const MODULES = ['virtio_pci', 'dummy']

/** Its kernel has the modules `virtio_pci` and `dummy`, and the built-in `built_in`. The package lacks the module `rare` (alias `fs-rare`). */
export async function installGuestPackage(project: string, arch: Architecture): Promise<void> {
  const directory = join(project, 'node_modules', '@coldboot', `guest-${arch}`)
  const write = async (path: string, content: Uint8Array | string): Promise<PackagedFile> => {
    const data = Buffer.from(content)
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), data)
    return { path, sizeBytes: data.length, sha256: createHash('sha256').update(data).digest('hex') }
  }
  const modules: Record<string, PackagedModules['modules'][string]> = {}
  for (const name of MODULES) {
    const path = `kernel/${name}.ko`
    const { sha256 } = await write(`modules/${path}`, name)
    modules[name] = { name, path, sha256, depends: [], softDepends: [], aliases: [] }
  }
  const index: PackagedModules = { modules, builtIn: ['built_in'], others: ['rare', 'fs-rare'] }
  const description: GuestDescription = {
    format: 1,
    arch,
    id: 'linux-image-6.1.0-1-test_6.1-1',
    release: '6.1.0-1-test',
    kernel: await write('vmlinuz', 'kernel'),
    busybox: await write('busybox', STATIC_BUSYBOX),
    modules: await write('modules.json', JSON.stringify(index)),
  }
  await write('guest.json', JSON.stringify(description))
}

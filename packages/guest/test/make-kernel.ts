/** Creates kernel images and build trees with the parts that coldboot reads. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeModule } from './make-elf.ts'

/** A bzImage with a setup header. @param release '' for none */
export function makeBzImage(release: string, { is64Bit = true } = {}): Buffer {
  const image = Buffer.alloc(4096)
  image.write('HdrS', 0x202, 'latin1')
  if (release !== '') {
    image.writeUInt16LE(0x400, 0x20e)
    image.write(`${release} (me@host) #1 SMP\0`, 0x600, 'latin1')
  }
  image.writeUInt16LE(is64Bit ? 3 : 2, 0x236)
  return image
}

/** An image with a magic number, little-endian, and a banner. @param release '' for none */
export function makeImage(at: number, magic: number, release: string): Buffer {
  const image = Buffer.alloc(4096)
  image.writeUInt32LE(magic, at)
  if (release !== '') image.write(`Linux version ${release} (me@host)`, 0x300, 'latin1')
  return image
}

/** Creates a module for a kernel version. */
export function makeModuleOf(release: string, ...fields: readonly string[]): Uint8Array {
  return makeModule([`vermagic=${release} SMP mod_unload`, ...fields])
}

/** Writes files below a directory, and returns the directory. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

/**
 * Reads the two needed facts from ELF files: the section `.modinfo` of a kernel module, and whether a program is static.
 * Supports both word sizes and byte orders, because guest architectures use both. Source: elf(5).
 */

const CLASS_64 = 2
const LITTLE_ENDIAN = 1

const PROGRAM_INTERPRETER = 3
const SHORTEST_HEADER = 0x34

/** Offsets of fields for each word size: those of the file header, and `offset` and `size` of a section header. */
const LAYOUTS = {
  32: {
    ...{ programs: 0x1c, programSize: 0x2a, programCount: 0x2c },
    ...{ sections: 0x20, sectionSize: 0x2e, sectionCount: 0x30, namesIndex: 0x32, offset: 0x10, size: 0x14 },
  },
  64: {
    ...{ programs: 0x20, programSize: 0x36, programCount: 0x38 },
    ...{ sections: 0x28, sectionSize: 0x3a, sectionCount: 0x3c, namesIndex: 0x3e, offset: 0x18, size: 0x20 },
  },
}

/** Returns the bytes of the first section with that name; undefined if there is none or the file is not ELF. */
export function readElfSection(file: Uint8Array, name: string): Uint8Array | undefined {
  const elf = openElf(file)
  if (!elf) return undefined
  const { layout, half, word, offset } = elf
  const section = (index: number): { readonly nameOffset: number; readonly bytes: Uint8Array } => {
    const at = offset(layout.sections) + index * half(layout.sectionSize)
    const start = offset(at + layout.offset)
    return { nameOffset: word(at), bytes: file.subarray(start, start + offset(at + layout.size)) }
  }
  const names = section(half(layout.namesIndex)).bytes
  const wanted = Buffer.from(`${name}\0`)
  for (let index = 0; index < half(layout.sectionCount); index++) {
    const { nameOffset, bytes } = section(index)
    if (wanted.equals(names.subarray(nameOffset, nameOffset + wanted.length))) return bytes
  }
  return undefined
}

/** Whether the file is an ELF program without a loader, and thus without shared libraries. */
export function isStaticElf(file: Uint8Array): boolean {
  const elf = openElf(file)
  if (!elf) return false
  const { layout, half, word, offset } = elf
  for (let index = 0; index < half(layout.programCount); index++) {
    if (word(offset(layout.programs) + index * half(layout.programSize)) === PROGRAM_INTERPRETER) return false
  }
  return true
}

interface Elf {
  readonly layout: (typeof LAYOUTS)[32 | 64]
  /** Read a field of 2 bytes, of 4 bytes, and of the file's word size. */
  readonly half: (at: number) => number
  readonly word: (at: number) => number
  readonly offset: (at: number) => number
}

function openElf(file: Uint8Array): Elf | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < SHORTEST_HEADER || view.getUint32(0) !== 0x7f45_4c46) return undefined
  const wide = view.getUint8(4) === CLASS_64
  const little = view.getUint8(5) === LITTLE_ENDIAN
  return {
    layout: LAYOUTS[wide ? 64 : 32],
    half: (at) => view.getUint16(at, little),
    word: (at) => view.getUint32(at, little),
    offset: (at) => (wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little)),
  }
}

/** Creates small ELF files for tests of their readers. */

export interface ElfContent {
  readonly wide: boolean
  readonly little: boolean
  /** Contents of sections by name, in order. */
  readonly sections?: Readonly<Record<string, Uint8Array>>
  /** Program headers with the data that they load. */
  readonly programs?: readonly { readonly type: number; readonly address?: number; readonly data?: Uint8Array }[]
  readonly entry?: number
}

/** Creates an ELF file with these sections and program headers. Sets only the fields that coldboot reads. */
export function makeElf({ wide, little, sections = {}, programs = [], entry = 0 }: ElfContent): Uint8Array {
  const [header, programSize, sectionSize] = wide ? [64, 56, 64] : [52, 32, 40]
  const names = ['', ...Object.keys(sections), '.shstrtab']
  const strings = Buffer.from(`${names.join('\0')}\0`)
  const contents = [new Uint8Array(0), ...Object.values(sections), strings]
  const blobs = [...programs.map(({ data }) => data ?? new Uint8Array(0)), ...contents]
  const offsets: number[] = []
  let end = header + programs.length * programSize
  for (const blob of blobs) {
    offsets.push(end)
    end += blob.length
  }
  const file = Buffer.alloc(end + names.length * sectionSize)
  const half = (at: number, value: number): unknown =>
    little ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at)
  const word = (at: number, value: number): unknown =>
    little ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at)
  const offset = (at: number, value: number): unknown =>
    !wide
      ? word(at, value)
      : little
        ? file.writeBigUInt64LE(BigInt(value), at)
        : file.writeBigUInt64BE(BigInt(value), at)
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1])
  offset(0x18, entry)
  offset(wide ? 0x20 : 0x1c, header)
  offset(wide ? 0x28 : 0x20, end)
  const counts = wide ? 0x36 : 0x2a
  half(counts, programSize)
  half(counts + 2, programs.length)
  half(counts + 4, sectionSize)
  half(counts + 6, names.length)
  half(counts + 8, names.length - 1)
  blobs.forEach((blob, index) => file.set(blob, offsets[index]))
  programs.forEach(({ type, address = 0, data }, index) => {
    const at = header + index * programSize
    word(at, type)
    offset(at + (wide ? 0x08 : 0x04), offsets[index] ?? 0)
    offset(at + (wide ? 0x18 : 0x0c), address)
    offset(at + (wide ? 0x20 : 0x10), data?.length ?? 0)
  })
  names.forEach((name, index) => {
    const at = end + index * sectionSize
    word(at, strings.indexOf(`${name}\0`))
    offset(at + (wide ? 0x18 : 0x10), offsets[programs.length + index] ?? 0)
    offset(at + (wide ? 0x20 : 0x14), contents[index]?.length ?? 0)
  })
  return file
}

/** Creates a kernel module with these fields in `.modinfo`. */
export function makeModule(fields: readonly string[]): Uint8Array {
  const modinfo = Buffer.from(fields.map((field) => `${field}\0`).join(''))
  return makeElf({ wide: true, little: true, sections: { '.text': Buffer.from('code'), '.modinfo': modinfo } })
}

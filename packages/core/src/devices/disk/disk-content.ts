/** What is on a disk, as QEMU's block layer takes it: an image as it is, or a temporary layer over it. */
import { type OptionValues, optionString } from '../helpers/option-string.ts'
import type { DiskFormat } from './disk-image.ts'

/** An image and what may happen to it. */
export interface DiskContent {
  /** Absolute path of the image. */
  readonly path: string
  /** Driver and properties of what QEMU is to read in place of a file. @default the file at `path` */
  readonly inPlace?: OptionValues | undefined
  readonly format: DiskFormat
  /** `overlay`: the image is read, and writes go to a layer. */
  readonly access: 'read-only' | 'read-write' | 'overlay'
}

/** Where the content is asked for. */
export interface ContentPlace {
  /** Name that devices refer to it by. */
  readonly id: string
  /** Path of the layer, a file from `writeQcow2Overlay`; undefined: QEMU makes a layer of its own. */
  readonly layer: string | undefined
}

/** Arguments that make the content available as `id`. */
export function contentArgs(content: DiskContent, { id, layer }: ContentPlace): readonly string[] {
  const { path, format, access, inPlace } = content
  const file = under('file', inPlace ?? { driver: 'file', filename: path })
  const image: OptionValues = { driver: format, 'read-only': access !== 'read-write' || undefined, ...file }
  if (access !== 'overlay') return ['-blockdev', optionString(undefined, { 'node-name': id, ...image })]
  if (layer === undefined) {
    return ['-drive', optionString(undefined, { if: 'none', id, format, snapshot: true, ...file })]
  }
  const layered: OptionValues = {
    'node-name': id,
    driver: 'qcow2',
    // It is thrown away with the machine: a guest that asks for its data to be on disk need not wait for that.
    'cache.no-flush': true,
    'file.driver': 'file',
    'file.filename': layer,
    ...under('backing', image),
  }
  return ['-blockdev', optionString(undefined, layered)]
}

function under(node: string, values: OptionValues): OptionValues {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${node}.${key}`, value]))
}

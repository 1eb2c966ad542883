/** Arguments for the content of a disk: an image, or a temporary layer over it. */
import { type OptionValues, optionString } from '../helpers/option-string.ts'
import type { DiskFormat } from './disk-image.ts'

/** An image and its access mode. */
export interface DiskContent {
  /** Absolute path of the image. */
  readonly path: string
  /** Driver and properties of a content other than a file. @default the file at `path` */
  readonly inPlace?: OptionValues | undefined
  readonly format: DiskFormat
  /** Access mode. `overlay`: the image is only read, and writes go to a layer. */
  readonly access: 'read-only' | 'read-write' | 'overlay'
}

/** Block node of the content. */
export interface ContentPlace {
  /** Id to which drives refer. */
  readonly id: string
  /** Path of the layer, created by {@link createLayer}; undefined for a temporary layer of QEMU. */
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
    // The layer is removed with the machine, so a flush of the guest does not have to wait for the disk.
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

/** Creates an empty layer over an image. @param size size of the image, bytes */
export async function createLayer(path: string, size: number): Promise<void> {
  const { writeQcow2Overlay } = await import('./qcow2-overlay.ts')
  await writeQcow2Overlay(path, size)
}

/** Read-only disk with a FAT image that is created for each machine. */
import { join } from 'node:path'
import type { Device, DeviceContext, PrepareContext } from '../device.ts'
import type { OptionValues } from '../helpers/option-string.ts'
import { contentArgs, createLayer } from './disk-content.ts'
import { checkInterface, type DiskInterface, frontendArgs } from './disk-interface.ts'
import type { FatImageOptions, FatSource } from './fat-image.ts'

/** Where the disk is. */
export interface FatDiskPlace {
  /** Name of the device, for errors. */
  readonly owner: string
  readonly interface: DiskInterface
  /** Start of the names of its files in the directory of the machine. */
  readonly files: string
}

/** The parts of a device that are the same for each such disk. */
export interface FatDisk {
  readonly validate: NonNullable<Device['validate']>
  /** Creates the image, and the layer that a SATA disk needs. @throws as {@link makeFatImage} */
  create(source: FatSource, context: PrepareContext, options: Omit<FatImageOptions, 'signal'>): Promise<void>
  /** @param inPlace content for a command line in a shell, where the image is missing */
  args(context: DeviceContext, inPlace: OptionValues): readonly string[]
}

/** A disk at a place. SATA has no write protection: there, writes of the guest go to a temporary layer. */
export function fatDisk({ owner, interface: kind, files }: FatDiskPlace): FatDisk {
  const isProtected = kind !== 'ahci'
  const filesIn = ({ directory, position }: Pick<DeviceContext, 'directory' | 'position'>) => {
    const name = join(directory, `${files}${position}`)
    return { image: `${name}.img`, layer: `${name}.qcow2` }
  }
  return {
    validate: ({ arch }) => checkInterface(owner, arch, kind, { cdrom: false, readOnly: isProtected }),
    async create(source, context, options) {
      const { image, layer } = filesIn(context)
      const { makeFatImage } = await import('./fat-image.ts')
      const size = await makeFatImage(source, image, { ...options, signal: context.signal })
      if (!isProtected) await createLayer(layer, size)
    },
    args(context, inPlace) {
      const id = context.id('disk')
      const { image, layer } = filesIn(context)
      const content = {
        path: image,
        inPlace: context.standalone ? inPlace : undefined,
        format: 'raw',
        access: isProtected ? 'read-only' : 'overlay',
      } as const
      const frontend = { interface: kind, drive: id, cdrom: false, serial: undefined, bootFirst: false }
      return [
        ...contentArgs(content, { id, layer: context.standalone ? undefined : layer }),
        ...frontendArgs(context, frontend),
      ]
    },
  }
}

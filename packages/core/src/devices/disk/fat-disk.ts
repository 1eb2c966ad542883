/** Read-only disk with a FAT image that is created for each machine. */
import { join } from 'node:path'
import type { Device, DeviceContext, PrepareContext } from '../device.ts'
import type { OptionValues } from '../helpers/option-string.ts'
import { contentArgs, createLayer } from './disk-content.ts'
import { checkInterface, type DiskInterface, frontendArgs } from './disk-interface.ts'
import type { FatImageOptions, FatSource } from './fat-image.ts'

/** Parameters of {@link fatDisk}. */
export interface FatDiskPlace {
  /** Name of the device, for errors. */
  readonly owner: string
  readonly interface: DiskInterface
  /** Prefix of the names of its files in the directory of the machine. */
  readonly files: string
}

/** The shared parts of devices with such a disk. */
export interface FatDisk {
  readonly validate: NonNullable<Device['validate']>
  /** Creates the image, and the layer that a SATA disk needs. @throws as {@link makeFatImage} */
  create(source: FatSource, context: PrepareContext, options: Omit<FatImageOptions, 'signal'>): Promise<void>
  /** @param inPlace replacement for the image in a command line for a shell, where the image does not exist */
  args(context: DeviceContext, inPlace: OptionValues): readonly string[]
}

/** Creates the shared parts. On SATA, which has no write protection, writes of the guest go to a temporary layer. */
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

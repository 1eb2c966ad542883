/** An empty volume in memory, mounted with the binding of js-fatfs. Used to compare names with FatFs. */
import * as FatFs from 'js-fatfs'

const SECTOR_BYTES = 512
const SECTORS = 2048

/** FatFs with a FAT12 volume of 1 MiB as drive 0. */
export async function loadScratchVolume(): Promise<FatFs.FatFs> {
  const disk = Buffer.alloc(SECTORS * SECTOR_BYTES)
  const diskio: FatFs.DiskIO = {
    initialize: () => 0,
    status: () => 0,
    read(fatfs, _drive, target, sector, count) {
      fatfs.HEAPU8.set(disk.subarray(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES), target)
      return FatFs.RES_OK
    },
    write(fatfs, _drive, source, sector, count) {
      disk.set(fatfs.HEAPU8.subarray(source, source + count * SECTOR_BYTES), sector * SECTOR_BYTES)
      return FatFs.RES_OK
    },
    ioctl(fatfs, _drive, command, target) {
      if (command === FatFs.GET_SECTOR_COUNT) fatfs.setValue(target, SECTORS, 'i32')
      if (command === FatFs.GET_SECTOR_SIZE) fatfs.setValue(target, SECTOR_BYTES, 'i16')
      if (command === FatFs.GET_BLOCK_SIZE) fatfs.setValue(target, 1, 'i32')
      return FatFs.RES_OK
    },
  }
  const fatfs = await FatFs.create({ diskio })
  const work = fatfs.malloc(4096)
  const parameters = { fmt: FatFs.FM_FAT | FatFs.FM_SFD, n_fat: 1, align: 0, n_root: 0, au_size: 0 }
  if (fatfs.f_mkfs('', parameters, work, 4096) !== FatFs.FR_OK) throw new Error('f_mkfs failed')
  if (fatfs.f_mount(fatfs.malloc(FatFs.sizeof_FATFS), '', 1) !== FatFs.FR_OK) throw new Error('f_mount failed')
  return fatfs
}

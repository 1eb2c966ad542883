/** Machine with the Debian image and the kernel of the small guest. */
import { linuxGuest } from '@coldboot/guest'
import { blockDevice } from '../../src/devices/block-device.ts'
import type { Device } from '../../src/devices/device.ts'
import type { MachineOptions } from '../../src/spec/machine-options.ts'
import { debianImage } from './debian-image.ts'

/**
 * Kernel arguments that switch from the initramfs to the disk. With `norandmaps`, QEMU does not have to translate a
 * program again at other addresses.
 */
const WORDS = 'rdinit=/etc/coldboot/root root=/dev/vda rootfstype=ext4 rw systemd.show_status=false norandmaps'

/** The image has no modules. The seed of cloud-init is a FAT file system. */
const MODULES = ['ext4', 'autofs4', 'vfat', 'nls_cp437', 'nls_ascii']

/** Enough time without hardware acceleration on a busy host, milliseconds. */
const BOOT_MS = 240_000

/**
 * Options for `VM.start`. The machine is ready at its login prompt.
 * @param devices additional devices
 */
export async function debianMachine(devices: readonly Device[] = []): Promise<MachineOptions> {
  const [guest, image] = await Promise.all([linuxGuest({ modules: MODULES, agent: false }), debianImage()])
  return {
    ...guest,
    kernelArgs: `${guest.kernelArgs} ${WORDS}`,
    memory: '512M',
    devices: [blockDevice(image), ...devices],
    guestAgent: true,
    ready: 'debian login: ',
    bootTimeout: BOOT_MS,
    timeout: 60_000,
  }
}

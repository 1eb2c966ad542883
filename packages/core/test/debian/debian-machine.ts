/** A machine that boots that Debian, with the guest's kernel. */
import { linuxGuest } from '@coldboot/guest'
import { blockDevice } from '../../src/devices/block-device.ts'
import type { Device } from '../../src/devices/device.ts'
import type { MachineOptions } from '../../src/spec/machine-options.ts'
import { debianImage } from './debian-image.ts'

/**
 * Goes on from the initramfs to the disk. `norandmaps`: a program that lies at the same addresses each time is not
 * translated anew each time, where there is no hardware acceleration.
 */
const WORDS = 'rdinit=/etc/coldboot/root root=/dev/vda rootfstype=ext4 rw systemd.show_status=false norandmaps'

/** Time enough without hardware acceleration on a busy host, milliseconds. */
const BOOT_MS = 240_000

/**
 * What `VM.start` needs. The machine is ready when it asks who logs in.
 * @param devices besides its disk
 */
export async function debianMachine(devices: readonly Device[] = []): Promise<MachineOptions> {
  const [guest, image] = await Promise.all([linuxGuest({ modules: ['ext4', 'autofs4'], agent: false }), debianImage()])
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

/** Determines the stage that a boot has reached, by its output. */
import { KERNEL_STAMP } from '../text/kernel-line.ts'

/** The stages of a boot in order, each with typical output. */
const STAGES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['the firmware', /^(?:SeaBIOS|iPXE|UEFI |BdsDxe|U-Boot|OpenSBI|SLOF|Booting from )/m],
  ['the boot loader', /GNU GRUB|Loading Linux|ISOLINUX|SYSLINUX|systemd-boot|Loading initial ramdisk/],
  ['the kernel', new RegExp(`Linux version |Decompressing Linux|EFI stub: |${KERNEL_STAMP.source}`)],
  [
    'the initramfs',
    /Unpacking initramfs|Run \/init as init|^dracut|Loading, please wait|Begin: Running|^\(initramfs\)/m,
  ],
  ['the root file system', /VFS: Mounted root|-fs \([^)]+\): mounted filesystem|Switching root/],
  ['init', /Run \/sbin\/init as init|systemd\[1\]: |INIT: version|OpenRC|init started: BusyBox|Reached target /],
  ['a login prompt', /\blogin: /],
  ['a shell prompt', /built-in shell|^[^\n]{0,60}[#$] /m],
]

/** Length of the start of the output that is searched, characters. */
export const BOOT_CHARACTERS = 262_144

/** Finds the last stage that a boot has reached. @returns undefined if the output shows no stage */
export function lastStage(text: string): string | undefined {
  return STAGES.findLast(([, pattern]) => pattern.test(text))?.[0]
}

/** How far a boot came, by what was printed: the first question about a machine that never became ready. */
import { KERNEL_STAMP } from '../text/kernel-line.ts'

/** The stages in their order, each with what is printed in it. */
const STAGES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['the firmware', /^(?:SeaBIOS|iPXE|UEFI |BdsDxe|U-Boot|OpenSBI|SLOF|Booting from )/m],
  ['the boot loader', /GNU GRUB|Loading Linux|ISOLINUX|SYSLINUX|systemd-boot|Loading initial ramdisk/],
  ["the kernel's start", new RegExp(`Linux version |Decompressing Linux|EFI stub: |${KERNEL_STAMP.source}`)],
  [
    'the initramfs',
    /Unpacking initramfs|Run \/init as init|^dracut|Loading, please wait|Begin: Running|^\(initramfs\)/m,
  ],
  ['the root file system', /VFS: Mounted root|-fs \([^)]+\): mounted filesystem|Switching root/],
  ['init', /Run \/sbin\/init as init|systemd\[1\]: |INIT: version|OpenRC|init started: BusyBox|Reached target /],
  ['a login prompt', /\blogin: /],
  ["a shell's prompt", /built-in shell|^[^\n]{0,60}[#$] /m],
]

/** Text looked at: a boot is at the start. */
export const BOOT_CHARACTERS = 262_144

/** @returns the last of the stages that was seen, `undefined` when none was */
export function lastStage(text: string): string | undefined {
  return STAGES.findLast(([, pattern]) => pattern.test(text))?.[0]
}

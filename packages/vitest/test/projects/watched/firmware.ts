import { arbitraryArgs } from '@coldboot/core'

/**
 * Options of a machine that boots only firmware, which is faster than Linux. Its menu waits for a key, so that the boot is long
 * enough to be shown.
 */
export const firmware = {
  arch: 'x86_64',
  firmware: 'bios-256k.bin',
  devices: [arbitraryArgs('-boot', 'menu=on,splash-time=1000')],
  failOn: { noBootDevice: 'allow' },
  ready: 'No bootable device',
} as const

/** What boots when nobody says what: the small Linux guest of @coldboot/guest. */
import type { VMOptions } from '@coldboot/core'

/**
 * Completes options that have nothing to boot with the default guest; others are returned as they are. Words in
 * `kernelArgs` are added to the guest’s own, everything else replaces it.
 */
export async function withGuest(options: VMOptions): Promise<VMOptions> {
  if (hasBootSource(options)) return options
  // Loaded when it is needed: who boots a system of their own has no use for it.
  const { linuxGuest } = await import('@coldboot/guest')
  const guest: VMOptions = await linuxGuest()
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const kernelArgs = [...words(guest.kernelArgs), ...words(options.kernelArgs)]
  return { ...guest, ...given, kernelArgs }
}

function hasBootSource(options: VMOptions): boolean {
  return (
    options.kernel !== undefined ||
    options.firmware !== undefined ||
    (options.devices ?? []).some((device) => device.bootable === true)
  )
}

function words(kernelArgs: VMOptions['kernelArgs']): readonly string[] {
  return typeof kernelArgs === 'string' ? kernelArgs.split(/\s+/).filter((word) => word !== '') : (kernelArgs ?? [])
}

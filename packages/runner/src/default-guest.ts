/** Boots the small Linux guest of @coldboot/guest when the options name nothing to boot. */
import type { VMOptions } from '@coldboot/core'
import { hostArchitecture, readEnvironment, requireHost } from '@coldboot/core/internal'
import type { LinuxGuest, LinuxGuestOptions } from '@coldboot/guest'
import { type Progress, startProgress } from './progress/start-progress.ts'

/**
 * Adds the default guest to options that have nothing to boot. Returns other options unchanged. `kernelArgs` are appended
 * to those of the guest; all other options replace its values.
 * @throws StartError `UNSUPPORTED_PLATFORM`, `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, before the guest is prepared
 */
export async function withGuest(options: VMOptions): Promise<VMOptions> {
  if (hasBootSource(options)) return options
  const arch = options.arch ?? hostArchitecture()
  const asked = options.qemu === undefined ? readEnvironment().qemu : [options.qemu].flat()
  // Comes first, because preparing the guest can be a download, which is useless without QEMU.
  if (arch !== undefined) await requireHost(arch, asked)
  // Loaded on demand: tests that boot another system do not need it.
  const { linuxGuest } = await import('@coldboot/guest')
  const guest: VMOptions = await prepare(linuxGuest, options.arch)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const kernelArgs = [...words(guest.kernelArgs), ...words(options.kernelArgs)]
  return { ...guest, ...given, kernelArgs }
}

async function prepare(
  linuxGuest: (options: LinuxGuestOptions) => Promise<LinuxGuest>,
  arch: VMOptions['arch'],
): Promise<LinuxGuest> {
  let progress: Progress | undefined
  try {
    return await linuxGuest({
      arch,
      onProgress({ message, fraction }) {
        // Not called if everything is in the cache.
        progress ??= startProgress('Preparing the Linux guest', 'guest')
        progress.update(message, fraction)
      },
    })
  } catch (error) {
    progress?.end('failed')
    throw error
  } finally {
    progress?.end()
  }
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

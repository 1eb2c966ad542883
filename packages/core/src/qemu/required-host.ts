/** Checks the requirements of every machine on the host. */
import { StartError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { locateQemu, type QemuBinary } from './locate.ts'

/**
 * Finds QEMU and checks the platform. Later calls are fast, so it can be called before expensive work that needs QEMU.
 * @param asked see {@link locateQemu}
 * @throws StartError `UNSUPPORTED_PLATFORM`, `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`
 */
export async function requireHost(arch: Architecture, asked: readonly string[] | undefined): Promise<QemuBinary> {
  requirePlatform()
  return locateQemu(arch, asked)
}

function requirePlatform(): void {
  if (process.platform === 'linux' || process.platform === 'darwin') return
  throw new StartError(
    'UNSUPPORTED_PLATFORM',
    `Machines cannot be started on ${process.platform}: QEMU cannot inherit sockets there`,
  )
}

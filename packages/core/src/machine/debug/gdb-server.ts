/** Starts the gdb server of QEMU on a socket to which only this user can connect. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { quote } from 'shlex'
import type { QmpClient } from '../../devices/device.ts'
import { optionString } from '../../devices/helpers/option-string.ts'
import { MachineError } from '../../errors.ts'
import { socketDirectory } from '../../host/files/socket-directory.ts'
import { hostArchitecture } from '../../options/architecture.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'

const SOCKET = 'gdb.sock'

/** The gdb server of one machine. */
export interface GdbServer {
  /** Path of the socket. */
  readonly socket: string
  /** Removes the files of the socket, after the end of QEMU. */
  close(): Promise<void>
}

/**
 * Starts the server. A debugger that connects stops the guest.
 *
 * @param directory private directory for the socket
 * @throws MachineError `QMP_FAILED`
 */
export async function serveGdb(qmp: QmpClient, directory: string): Promise<GdbServer> {
  const place = await socketDirectory(directory, SOCKET)
  const socket = join(place.path, SOCKET)
  const command = `gdbserver ${quoteForMonitor(optionString(`unix:${socket}`, { server: true, wait: false }))}`
  const said = String(await qmp.execute('human-monitor-command', { 'command-line': command }))
  if (!existsSync(socket)) {
    await place.remove()
    throw new MachineError('QMP_FAILED', `QEMU does not serve a debugger: ${said.trim()}`, {
      hint: 'QEMU has only one server for debuggers. Remove `gdb`, or the `-s` or `-gdb` of `arbitraryArgs`.',
    })
  }
  return { socket, close: () => place.remove() }
}

/** Quotes an argument for the human monitor of QEMU, which ends it at a blank (`get_str` in monitor/hmp.c). */
function quoteForMonitor(argument: string): string {
  return `"${argument.replace(/["\\]/g, '\\$&')}"`
}

/** The command that connects a debugger, for a POSIX shell. */
export function gdbCommand({ arch, kernel }: Pick<MachineSpec, 'arch' | 'kernel'>, socket: string): string {
  const host = hostArchitecture()
  const isNative = arch === host || (arch === 'i386' && host === 'x86_64')
  const symbols = kernel === undefined ? [] : symbolsOf(kernel)
  return [isNative ? 'gdb' : 'gdb-multiarch', ...symbols, '-ex', `target remote ${socket}`].map(quote).join(' ')
}

/** Paths of the symbol file (`vmlinux`) of a kernel in its build tree. */
function symbolsOf(kernel: string): readonly string[] {
  if (basename(kernel) === 'vmlinux') return [kernel]
  // The image is, for example, arch/x86/boot/bzImage in its build tree.
  const [, tree] = /^(.*)\/arch\/[^/]+\/boot\/[^/]+$/.exec(resolve(kernel)) ?? []
  const built = tree === undefined ? [] : [join(tree, 'vmlinux')]
  return built.filter((path) => existsSync(path))
}

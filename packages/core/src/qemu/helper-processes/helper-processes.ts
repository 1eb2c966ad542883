/**
 * Helper processes, which implement devices outside of QEMU, such as `swtpm`. QEMU inherits the other end of their
 * socket.
 */
import { mkdir } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import type { HelperCommand } from '../../devices/device.ts'
import { messageOf, OptionError, StartError } from '../../errors.ts'
import { findOnPath } from '../../host/find-on-path.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import type { CommandLine } from '../command-line.ts'
import { type QemuProcess, spawnQemu } from '../process.ts'
import { exitsWithin } from '../shutdown.ts'

/** Descriptor of the socket in a helper process. The guard uses 3. */
const HELPER_FD = 4
/** Time for a helper to end after SIGTERM, before SIGKILL. Milliseconds. */
const SIGTERM_MS = 2_000

interface Helper {
  readonly process: QemuProcess
  /** Name of the program, for errors. */
  readonly program: string
  /** Number of the descriptor of its socket in QEMU. */
  readonly fd: number
}

/** The helper processes of one machine. */
export class HelperProcesses {
  readonly #helpers: readonly Helper[]

  private constructor(helpers: readonly Helper[]) {
    this.#helpers = helpers
  }

  /**
   * @throws OptionError `DEVICE_UNAVAILABLE` when a program is missing; StartError `START_FAILED` when it cannot be
   * started
   */
  static async spawn(spec: MachineSpec, line: CommandLine, directory: string): Promise<HelperProcesses> {
    const helpers: Helper[] = []
    try {
      for (const [position, device] of spec.devices.entries()) {
        const [fd] = line.deviceDescriptors[position] ?? []
        if (device.helper === undefined || fd === undefined) continue
        helpers.push({ ...(await spawned(device.name, device.helper({ directory, position, fd: HELPER_FD }))), fd })
      }
    } catch (error) {
      await new HelperProcesses(helpers).end()
      throw error
    }
    return new HelperProcesses(helpers)
  }

  /** Sockets that QEMU inherits, by descriptor number in QEMU. */
  get sockets(): ReadonlyMap<number, Duplex> {
    return new Map(this.#helpers.map(({ process, fd }) => [fd, process.stream(HELPER_FD)]))
  }

  /** Closes the sockets in this process. Called when QEMU has inherited them, so that this process reads no data. */
  passed(): void {
    for (const socket of this.sockets.values()) socket.destroy()
  }

  /** Output of the helpers, as sections of an error. */
  printed(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#helpers.map(({ process, program }) => [`${program} printed`, process.stderr().trim()]),
    )
  }

  /** Sets whether the helpers keep this process running. @default true */
  hold(held: boolean): void {
    for (const { process } of this.#helpers) process.hold(held)
  }

  /** Ends the helpers. Called after the end of QEMU. */
  async end(): Promise<void> {
    await Promise.all(this.#helpers.map(({ process }) => ended(process)))
  }
}

async function spawned(
  device: string,
  { argv, cwd, hint }: HelperCommand,
): Promise<Pick<Helper, 'process' | 'program'>> {
  const [program = ''] = argv
  if (findOnPath(program) === undefined) {
    const what = `${device}: this host has no \`${program}\` on its PATH`
    throw new OptionError('DEVICE_UNAVAILABLE', what, hint === undefined ? {} : { hint })
  }
  try {
    if (cwd !== undefined) await mkdir(cwd, { recursive: true, mode: 0o700 })
    const process = await spawnQemu(argv, { sockets: [HELPER_FD], cwd })
    // The socket is reset if the program ends immediately.
    process.stream(HELPER_FD).on('error', () => {})
    return { process, program }
  } catch (cause) {
    throw new StartError('START_FAILED', `${program} could not be started: ${messageOf(cause)}`, { cause })
  }
}

async function ended(process: QemuProcess): Promise<void> {
  process.stream(HELPER_FD).destroy()
  process.terminate('SIGTERM')
  if (!(await exitsWithin(process, SIGTERM_MS))) process.terminate('SIGKILL')
  await process.exited
}

/**
 * Transfers a machine's state out of one QEMU and into another. With `x-ignore-shared` guest memory is not part of it,
 * because it lies in a file that both map (qapi/migration.json): such a save takes milliseconds whatever the guest's size.
 */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { QmpClient, QmpEvent } from '../devices/device.ts'
import { optionString } from '../devices/helpers/option-string.ts'
import { MachineError } from '../errors.ts'
import { STATE_FD } from './command-line.ts'
import { isAtLeast } from './version.ts'

/** Where guest memory is: in a file that the other QEMU maps, or in the transferred stream. */
export type MemoryTransfer = 'in-file' | 'in-stream'

/** Above any disk and socket. QEMU's own default is meant for a network that others use too. Bytes a second. */
const MAX_BANDWIDTH = 10_000_000_000

/**
 * Stops the machine and writes its device state to a file. Its memory is in a file already.
 *
 * @param directory private
 * @throws MachineError `QMP_FAILED` with QEMU's reason, as for a device that cannot be saved
 */
export async function saveState(qmp: QmpClient, directory: string, stateFile: string): Promise<void> {
  await qmp.execute('stop')
  await sendState(qmp, directory, {
    memory: 'in-file',
    receive: (stream) => pipeline(stream, createWriteStream(stateFile, { mode: 0o600 })),
  })
}

/** What is sent, and where to. */
export interface SendRequest {
  readonly memory: MemoryTransfer
  /** Reads the stream to its end. When it rejects, the transfer is given up. */
  readonly receive: (stream: Readable) => Promise<void>
}

/**
 * Transfers the state of a machine that is stopped. The machine stays stopped, and `cont` makes it go on.
 *
 * QEMU's `migrate` takes a descriptor only by a name that was passed with SCM_RIGHTS, which Node cannot send: the state
 * goes through a socket in the private directory instead, which no other user can reach.
 *
 * @param directory private
 * @throws MachineError `QMP_FAILED` with QEMU's reason; the error of `receive`
 */
export async function sendState(qmp: QmpClient, directory: string, { memory, receive }: SendRequest): Promise<void> {
  const place = await socketPlace(directory)
  const path = join(place.directory, SOCKET)
  const server = createServer()
  let received: Promise<void> | undefined
  server.once('connection', (socket: Socket) => {
    received = receive(socket).catch((error: unknown) => {
      // QEMU then gives the transfer up.
      socket.destroy()
      throw error
    })
    received.catch(() => {})
  })
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    await qmp.execute('migrate-set-capabilities', { capabilities: capabilitiesFor(memory) })
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': MAX_BANDWIDTH })
    await migrated(qmp, () => qmp.execute('migrate', { uri: `unix:${path}` })).catch(async (error: unknown) => {
      // The receiver's error is the cause when both fail.
      await received
      throw error
    })
    await received
  } finally {
    server.close()
    await rm(path, { force: true })
    await place.remove()
  }
}

const SOCKET = 'state.sock'
/** Longest path of a socket on the system with the least room for it: `sun_path` of macOS has 104 bytes with its NUL. */
const MOST_PATH_BYTES = 103

/** The directory; a private one with a short path when the socket's path would be too long. */
async function socketPlace(directory: string): Promise<{ readonly directory: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(join(directory, SOCKET)) <= MOST_PATH_BYTES) return { directory, remove: async () => {} }
  const short = await mkdtemp('/tmp/coldboot-save-')
  return { directory: short, remove: () => rm(short, { recursive: true, force: true }) }
}

/** The saved state as a QEMU takes it that has it on {@link STATE_FD}. */
export interface IncomingState {
  /** Arguments of the command line. */
  readonly args: readonly string[]
  /** For {@link loadState}. */
  readonly uri: string
}

/**
 * How a QEMU of this version is given the saved state. `fd:` with a file is deprecated since 9.1 and gone in 11; `file:`, new
 * in 8.2, takes a set of descriptors (docs/about/removed-features.rst).
 *
 * @param version such as `7.2.22`
 * @param kind of the descriptor
 */
export function incomingState(version: string, kind: 'file' | 'socket'): IncomingState {
  if (kind === 'socket' || !isAtLeast(version, [9, 1])) return { args: [], uri: `fd:${STATE_FD}` }
  return { args: ['-add-fd', optionString(undefined, { fd: STATE_FD, set: 1 })], uri: 'file:/dev/fdset/1' }
}

/**
 * Loads state into a QEMU started with `-incoming defer`; it is stopped afterwards: `cont` starts the guest.
 *
 * @param uri of the state, from {@link incomingState}
 * @throws MachineError `QMP_FAILED` when the state does not fit the machine
 */
export async function loadState(qmp: QmpClient, uri: string, memory: MemoryTransfer): Promise<void> {
  // Both at once, as in a start every round trip counts.
  await migrated(qmp, () =>
    Promise.all([
      qmp.execute('migrate-set-capabilities', { capabilities: capabilitiesFor(memory) }),
      qmp.execute('migrate-incoming', { uri }),
    ]),
  )
}

function capabilitiesFor(memory: MemoryTransfer): readonly object[] {
  return [
    { capability: 'x-ignore-shared', state: memory === 'in-file' },
    { capability: 'events', state: true },
  ]
}

/** Runs a command that starts a migration, and waits for the migration's end. */
async function migrated(qmp: QmpClient, begin: () => Promise<unknown>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A machine that exits meanwhile rejects `begin` or the query; this promise is then never looked at.
  promise.catch(() => {})
  using _ = qmp.onEvent(({ event, data }: QmpEvent) => {
    if (event !== 'MIGRATION') return
    if (data['status'] === 'completed') resolve()
    else if (data['status'] === 'failed')
      reject(new MachineError('QMP_FAILED', "QEMU could not transfer the machine's state"))
  })
  await begin()
  await promise
}

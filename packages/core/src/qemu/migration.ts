/**
 * Transfers the state of a machine from one QEMU to another. With `x-ignore-shared`, guest memory is not transferred,
 * because it is in a file that both QEMUs map (qapi/migration.json). Then a save takes milliseconds, whatever the size
 * of the guest.
 */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { optionString } from '../devices/helpers/option-string.ts'
import { MachineError } from '../errors.ts'
import { now } from '../host/clock.ts'
import { socketDirectory } from '../host/files/socket-directory.ts'
import { STATE_FD } from './command-line.ts'
import type { QmpClient, QmpEvent } from './qmp.ts'
import { isAtLeast } from './version.ts'

/** Location of the guest memory: a file that the other QEMU maps, or the transferred stream. */
export type MemoryTransfer = 'in-file' | 'in-stream'

/**
 * Bandwidth limit above that of any disk or socket, because QEMU's default is for shared networks. Bytes per second.
 */
const MAX_BANDWIDTH = 10_000_000_000

/**
 * Stops the machine and writes its device state to a file. Its memory must be in a file already.
 *
 * @param directory private directory for the socket
 * @throws MachineError `QMP_FAILED` with QEMU's reason, for example a device that cannot be saved
 */
export async function saveState(qmp: QmpClient, directory: string, stateFile: string): Promise<void> {
  await qmp.execute('stop')
  await sendState(qmp, directory, {
    memory: 'in-file',
    receive: (stream) => pipeline(stream, createWriteStream(stateFile, { mode: 0o600 })),
  })
}

/** Parameters of {@link sendState}. */
export interface SendRequest {
  readonly memory: MemoryTransfer
  /** Reads the stream to its end. A rejection cancels the transfer. */
  readonly receive: (stream: Readable) => Promise<void>
  /**
   * Whether the guest runs until its memory was sent once. It is then stopped, and pages that it has changed meanwhile
   * are sent again. @default false: it is already stopped
   */
  readonly isRunning?: boolean | undefined
}

/**
 * Transfers the state of a machine, which is stopped afterwards; `cont` resumes it.
 *
 * The `migrate` command of QEMU accepts a descriptor only if it was passed with SCM_RIGHTS, which Node cannot send. So
 * the state goes through a socket in the private directory, which other users cannot access.
 *
 * @param directory private directory for the socket
 * @throws MachineError `QMP_FAILED` with QEMU's reason; the error of `receive`
 */
export async function sendState(
  qmp: QmpClient,
  directory: string,
  { memory, receive, isRunning = false }: SendRequest,
): Promise<void> {
  const place = await socketDirectory(directory, SOCKET)
  const path = join(place.path, SOCKET)
  const server = createServer()
  let received: Promise<void> | undefined
  server.once('connection', (socket: Socket) => {
    received = receive(socket).catch((error: unknown) => {
      // QEMU then cancels the transfer.
      socket.destroy()
      throw error
    })
    received.catch(() => {})
  })
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    await qmp.execute('migrate-set-capabilities', { capabilities: capabilitiesFor(memory) })
    const limits = { 'max-bandwidth': MAX_BANDWIDTH, ...(isRunning ? { 'downtime-limit': LEFT_MS } : {}) }
    await qmp.execute('migrate-set-parameters', limits)
    using _ = isRunning ? stopAfterFirstPass(qmp) : undefined
    const begin = (): Promise<unknown> => qmp.execute('migrate', { uri: `unix:${path}` })
    await migrated(qmp, () => afterDump(begin)).catch(async (error: unknown) => {
      // If the receiver has failed too, its error is the cause.
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

/** QEMU's reason to refuse a transfer during a dump (dump/dump.c). */
const DUMPING = 'dump-guest-memory in progress'
/** Longest time from the reported end of a dump to its real end, milliseconds. */
const DUMP_END_MS = 1_000

/**
 * Begins a transfer, again if a dump is just ending. QEMU refuses transfers until the thread of the dump has ended, which is
 * shortly after it has reported the end, and has no event for it. The reasons are not queried before, because QEMU crashes if
 * the thread removes its reason at that moment (seen with QEMU 11.1).
 */
async function afterDump(begin: () => Promise<unknown>): Promise<unknown> {
  const end = now() + DUMP_END_MS
  for (;;) {
    try {
      return await begin()
    } catch (error) {
      if (!(error instanceof MachineError && error.message.includes(DUMPING)) || now() > end) throw error
    }
  }
}

const SOCKET = 'state.sock'
/** QEMU stops the guest when the remaining memory can be sent within this time. Milliseconds. */
const LEFT_MS = 20

/** Stops the guest after the first pass, because a guest may change memory faster than QEMU sends it. */
function stopAfterFirstPass(qmp: QmpClient): Disposable {
  return qmp.onEvent(({ event, data }: QmpEvent) => {
    // Errors are ignored, because the transfer then fails too.
    if (event === 'MIGRATION_PASS' && data['pass'] === 2) qmp.execute('stop').catch(() => {})
  })
}

/** The saved state on {@link STATE_FD}, in the form that a version of QEMU accepts. */
export interface IncomingState {
  /** Arguments of the command line. */
  readonly args: readonly string[]
  /** URI for {@link loadState}. */
  readonly uri: string
}

/**
 * Selects the form of the saved state for a version of QEMU. `fd:` with a file is deprecated since 9.1 and removed in
 * 11. `file:`, since 8.2, accepts a set of descriptors (docs/about/removed-features.rst).
 *
 * @param version such as `7.2.22`
 */
export function incomingState(version: string): IncomingState {
  if (!isAtLeast(version, [9, 1])) return { args: [], uri: `fd:${STATE_FD}` }
  return { args: ['-add-fd', optionString(undefined, { fd: STATE_FD, set: 1 })], uri: 'file:/dev/fdset/1' }
}

/**
 * Loads state into a QEMU started with `-incoming defer`. The guest is stopped afterwards; `cont` resumes it.
 *
 * @param uri URI of the state, from {@link incomingState}
 * @throws MachineError `QMP_FAILED` when the state does not fit the machine
 */
export async function loadState(qmp: QmpClient, uri: string, memory: MemoryTransfer): Promise<void> {
  // Sent together, to save a round trip at each start.
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

/** Runs a command that starts a migration, and waits for the end of the migration. */
async function migrated(qmp: QmpClient, begin: () => Promise<unknown>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // If `begin` rejects, this promise is not awaited.
  promise.catch(() => {})
  // If QEMU ends after it accepted the commands, it sends no event.
  qmp.unanswered('migrate').catch(reject)
  using _ = qmp.onEvent(({ event, data }: QmpEvent) => {
    if (event !== 'MIGRATION') return
    if (data['status'] === 'completed') resolve()
    else if (data['status'] === 'failed')
      reject(new MachineError('QMP_FAILED', "QEMU could not transfer the machine's state"))
  })
  await begin()
  await promise
}

/**
 * A machine's state, out of one QEMU and into another. Guest memory is not part of it: it lies in a file that both map,
 * which is why a save takes milliseconds whatever the size of the guest (`x-ignore-shared`, qapi/migration.json).
 */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { QmpClient, QmpEvent } from '../devices/device.ts'
import { optionString } from '../devices/helpers/option-string.ts'
import { MachineError } from '../errors.ts'
import { STATE_FD } from './command-line.ts'
import { isAtLeast } from './version.ts'

const CAPABILITIES = ['x-ignore-shared', 'events'].map((capability) => ({ capability, state: true }))

/**
 * Stops the machine and writes its device state.
 *
 * QEMU's `migrate` takes a descriptor only by a name that was passed with SCM_RIGHTS, which Node cannot send: the state
 * goes through a socket in the private directory instead, which nobody else can reach.
 *
 * @param directory private
 * @throws MachineError `QMP_FAILED` with QEMU's reason, as for a device that cannot be saved
 */
export async function saveState(qmp: QmpClient, directory: string, stateFile: string): Promise<void> {
  const place = await socketPlace(directory)
  const path = join(place.directory, SOCKET)
  const server = createServer()
  const received = new Promise<void>((resolve, reject) => {
    server.once('connection', (socket: Socket) => {
      pipeline(socket, createWriteStream(stateFile, { mode: 0o600 })).then(resolve, reject)
    })
  })
  received.catch(() => {})
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    await qmp.execute('stop')
    await qmp.execute('migrate-set-capabilities', { capabilities: CAPABILITIES })
    await migrated(qmp, () => qmp.execute('migrate', { uri: `unix:${path}` }))
    await received
  } finally {
    server.close()
    await rm(path, { force: true })
    await place.remove()
  }
}

const SOCKET = 'state.sock'
/** Of the path of a socket, on the system that has least room for it: `sun_path` of macOS has 104 bytes, a NUL among them. */
const MOST_PATH_BYTES = 103

/** The directory; where the socket's path would be too long, a private one of a short path. */
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
 */
export function incomingState(version: string): IncomingState {
  if (!isAtLeast(version, [9, 1])) return { args: [], uri: `fd:${STATE_FD}` }
  return { args: ['-add-fd', optionString(undefined, { fd: STATE_FD, set: 1 })], uri: 'file:/dev/fdset/1' }
}

/**
 * Loads device state into a QEMU started with `-incoming defer`; it is stopped afterwards: `cont` starts the guest.
 *
 * @param uri of the state file, from {@link incomingState}
 * @throws MachineError `QMP_FAILED` when the state does not fit the machine
 */
export async function loadState(qmp: QmpClient, uri: string): Promise<void> {
  // Both at once, as in a start every round trip counts.
  await migrated(qmp, () =>
    Promise.all([
      qmp.execute('migrate-set-capabilities', { capabilities: CAPABILITIES }),
      qmp.execute('migrate-incoming', { uri }),
    ]),
  )
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

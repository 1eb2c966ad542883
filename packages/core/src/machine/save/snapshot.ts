/** Saves the state of a running machine to a private directory, for checkpoints and templates. */

import { closeSync, constants, openSync } from 'node:fs'
import { cp, link, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { copyFiles } from '../../host/files/copy-files.ts'
import { makePrivateDirectory } from '../../host/files/private-directory.ts'
import type { GuestMemory } from '../../qemu/command-line.ts'
import type { StateFile } from '../../qemu/state/state-file.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import { type Launched, launchRestored } from '../launch.ts'
import { withDetachedDevices } from '../restore-attachment.ts'
import type { RunningMachine } from '../running-machine.ts'
import { type MemoryOrigin, withStateInput, writeStateFile } from './state/state-file.ts'
import { memoryOrigin, type StoppedGuest, unsavable, whileStopped } from './stopped-machine.ts'

/** A saved state of a machine. */
export interface Snapshot {
  /** Spec of the machine. */
  readonly spec: MachineSpec
  /** Console output until the save. */
  readonly console: Uint8Array
  readonly memory: GuestMemory | undefined
  /** States whose pages make up the memory, the oldest first. The last one is the state itself. */
  readonly states: readonly StateFile[]
  /** Folder with the files of the devices. */
  readonly filesDirectory: string
  /** Removes the files. Machines started from it keep running. Idempotent. */
  remove(): Promise<void>
}

/**
 * Saves the current state of a machine, which then continues.
 * @throws MachineError `MACHINE_UNSAVABLE` with the reason, `MACHINE_EXITED`, `ATTACH_FAILED`
 */
export async function takeSnapshot(running: RunningMachine, guest: StoppedGuest): Promise<Snapshot> {
  const { spec, plan } = running
  if (plan.memory?.shared === true) throw unsavable(spec.name, 'it is about to become a template')
  const directory = await makePrivateDirectory()
  try {
    const { base, layers } = memoryOrigin(running)
    const origin = {
      base: base === undefined ? undefined : await kept(base, join(directory.path, 'memory')),
      layers: await Promise.all(
        layers.map(async (layer, index) => ({
          ...layer,
          path: await kept(layer.path, join(directory.path, `state${index}`)),
        })),
      ),
    }
    const { console, state } = await keepState(running, guest, { directory: directory.path, origin, goOn: true })
    const memory = plan.memory && { ...plan.memory, path: origin.base }
    return {
      spec,
      console,
      memory,
      states: [...origin.layers, state],
      filesDirectory: join(directory.path, KEPT.files),
      remove: () => directory.remove(),
    }
  } catch (error) {
    await directory.remove()
    throw error
  }
}

/** Names of the files that {@link keepState} creates. */
export const KEPT = { state: 'state', files: 'files' } as const

/** Parameters of {@link keepState}. */
export interface KeepRequest {
  /** Folder to which the state is written. */
  readonly directory: string
  /** Memory whose unchanged pages are not stored again. @default the memory with which the machine was started */
  readonly origin?: MemoryOrigin
  /** Whether the machine continues after the save. */
  readonly goOn: boolean
}

/** Result of {@link keepState}, except the files of the devices. */
export interface KeptState {
  readonly console: Uint8Array
  readonly state: StateFile
}

/**
 * Writes the current state of a machine to a folder: a state file with the device state and the pages that differ from
 * `origin`, and the files of the devices.
 * @throws as {@link takeSnapshot}
 */
export async function keepState(
  running: RunningMachine,
  guest: StoppedGuest,
  { directory, origin = memoryOrigin(running), goOn }: KeepRequest,
): Promise<KeptState> {
  const filesDirectory = join(directory, KEPT.files)
  const stateFile = join(directory, KEPT.state)
  await mkdir(filesDirectory, { mode: 0o700 })
  const { console, state } = await whileStopped(running, guest, { goOn }, async ({ send, rest }) => {
    let state: StateFile | undefined
    await send(async (stream) => {
      state = await writeStateFile(stream, stateFile, origin)
    })
    const { console, files } = await rest()
    await copyInto(filesDirectory, files)
    return { console, state }
  })
  if (state === undefined) throw unsavable(running.spec.name, 'QEMU sent nothing')
  return { console, state }
}

/** Copies files and folders into a folder. Shares blocks (reflinks) if the file system supports it. */
export async function copyInto(directory: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await cp(path, join(directory, basename(path)), { recursive: true, mode: constants.COPYFILE_FICLONE })
  }
}

/** Launches a machine from a saved state. It stays stopped. @throws StartError, MachineError as `launchRestored` */
export async function launchSnapshot(
  asked: MachineSpec,
  { memory, states, filesDirectory }: Snapshot,
): Promise<Launched & { readonly spec: MachineSpec }> {
  const state = states.at(-1)
  if (state === undefined) throw new TypeError('a snapshot has a state')
  const fd = openSync(state.path, 'r')
  try {
    const spec = withDetachedDevices(asked)
    const launched = await withStateInput({ state, fd, layers: states.slice(0, -1) }, (input) =>
      launchRestored(spec, {
        memory,
        restore: {
          state: input,
          layers: states,
          files: (directory) => copyFiles(filesDirectory, directory),
          changed: [],
        },
      }),
    )
    return { ...launched, spec }
  } finally {
    closeSync(fd)
  }
}

/** Hard link to a file, so that it survives the removal of the original. On another file system, the original path. */
async function kept(path: string, name: string): Promise<string> {
  try {
    await link(path, name)
    return name
  } catch {
    return path
  }
}

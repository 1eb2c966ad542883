/** State of a running machine, kept in a private directory. */
import { closeSync, openSync } from 'node:fs'
import { cp, link, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { makePrivateDirectory } from '../../host/files/private-directory.ts'
import type { GuestMemory } from '../../qemu/command-line.ts'
import { UnknownStateError } from '../../qemu/state-stream.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import { copyFiles, type Launched, launchRestored } from '../launch.ts'
import { withDetachedDevices } from '../restore-attachment.ts'
import type { RunningMachine } from '../running-machine.ts'
import { type StateFile, stateInput, writeStateFile, writeWholeState } from './state-file.ts'
import { memoryOrigin, type StoppedGuest, unsavable, whileStopped } from './stopped-machine.ts'

/** The kept state of a machine. */
export interface Moment {
  /** Spec of the machine. */
  readonly spec: MachineSpec
  /** Its console output. */
  readonly console: Uint8Array
  readonly memory: GuestMemory | undefined
  /** States from which its memory is composed, oldest first; the last one is its own. */
  readonly states: readonly StateFile[]
  /** Folder with the files of its devices. */
  readonly filesDirectory: string
  /** Removes the files. Machines started from it keep running. Idempotent. */
  remove(): Promise<void>
}

/**
 * Keeps the current state of a machine, which then continues.
 * @throws MachineError `MACHINE_UNSAVABLE` with the reason, `MACHINE_EXITED`, `ATTACH_FAILED`
 */
export async function keepMoment(running: RunningMachine, guest: StoppedGuest): Promise<Moment> {
  const { spec, plan } = running
  if (plan.memory?.shared === true) throw unsavable(spec.name, 'it is about to become a template')
  const directory = await makePrivateDirectory()
  const filesDirectory = join(directory.path, 'files')
  try {
    await mkdir(filesDirectory, { mode: 0o700 })
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
    const stateFile = join(directory.path, 'state')
    const { console, state } = await whileStopped(running, guest, true, async (stopped) => {
      for (const path of stopped.files) await cp(path, join(filesDirectory, basename(path)), { recursive: true })
      let state: StateFile | undefined
      try {
        await stopped.send(async (stream) => {
          state = await writeStateFile(stream, stateFile, origin)
        })
      } catch (error) {
        if (!(error instanceof UnknownStateError)) throw error
        await stopped.send(async (stream) => {
          state = await writeWholeState(stream, stateFile)
        })
      }
      return { console: stopped.console, state }
    })
    if (state === undefined) throw unsavable(spec.name, 'QEMU sent nothing')
    const memory = plan.memory && { path: origin.base, shared: false }
    return {
      spec,
      console,
      memory,
      states: [...origin.layers, state],
      filesDirectory,
      remove: () => directory.remove(),
    }
  } catch (error) {
    await directory.remove()
    throw error
  }
}

/** Launches a machine in a kept state, stopped. @throws StartError, MachineError as `launchRestored` */
export async function launchMoment(
  asked: MachineSpec,
  { memory, states, filesDirectory }: Moment,
): Promise<Launched & { readonly spec: MachineSpec }> {
  const state = states.at(-1)
  if (state === undefined) throw new TypeError('a moment has a state')
  const fd = openSync(state.path, 'r')
  try {
    const spec = withDetachedDevices(asked)
    const launched = await launchRestored(spec, {
      memory,
      restore: {
        state: stateInput(state, fd, states.slice(0, -1)),
        layers: states,
        files: (directory) => copyFiles(filesDirectory, directory),
        changed: [],
      },
    })
    return { ...launched, spec }
  } finally {
    closeSync(fd)
  }
}

/** Hard link to a file, which stays when the original is removed; on another file system, the original path. */
async function kept(path: string, name: string): Promise<string> {
  try {
    await link(path, name)
    return name
  } catch {
    return path
  }
}

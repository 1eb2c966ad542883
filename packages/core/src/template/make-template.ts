/**
 * Makes templates: boots, prepares and saves a machine. Makes layers: restores a template, prepares it further and
 * saves it.
 */
import { copyFile, cp, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ColdbootError, TemplateError } from '../errors.ts'
import { cacheUnusable } from '../host/files/cache.ts'
import { deviceFiles } from '../machine/device-files.ts'
import {
  attachmentContents,
  attachScript,
  changedPositions,
  detachScript,
  runAgentScript,
} from '../machine/restore-attachment.ts'
import { RunningMachine } from '../machine/running-machine.ts'
import { UnsavableError } from '../machine/save/stopped-machine.ts'
import { VM } from '../machine/vm.ts'
import { saveState } from '../qemu/migration.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import type { Preparation, PrepareStep } from './preparation.ts'
import { launchFrom, resume } from './restore.ts'
import {
  CONSOLE_FILE,
  CONTENTS_FILE,
  FILES_DIRECTORY,
  type LayerParts,
  MEMORY_FILE,
  STATE_FILE,
  type StoredTemplate,
} from './store/template-folder.ts'

/** Parameters of {@link makeTemplate} and {@link makeLayer}. */
export interface MakeRequest {
  readonly spec: MachineSpec
  /** Empty folder for the template. */
  readonly directory: string
  /** Folder of cached digests. */
  readonly digests: string
  /** Called with the machine that becomes the template. */
  readonly onBoot?: ((vm: VM) => void) | undefined
}

/** Boots, prepares and saves a machine to a folder. @returns the reason if it cannot be saved */
export async function makeTemplate(
  { spec, directory, digests, onBoot }: MakeRequest,
  { prepare }: Pick<Preparation, 'prepare'>,
): Promise<string | undefined> {
  const cache = dirname(directory)
  await keepContents(directory, await attachmentContents(spec, digests))
  const memoryFile = join(directory, MEMORY_FILE)
  // Memory in /dev/shm: a boot takes a third longer if the memory is a file on a disk.
  const { copyMemory, unnamedMemoryFile } = await import('../host/files/unnamed-memory-file.ts')
  await using unnamed = await unnamedMemoryFile(spec.memoryMib * 2 ** 20)
  const plan = { memory: { shared: true, ...(unnamed ? { fd: unnamed.fd } : { path: memoryFile }) } }
  const running = await RunningMachine.spawn(spec, plan)
  const vm = new VM(running)
  try {
    await running.begin(vm)
    onBoot?.(vm)
    await vm.ready()
    if (prepare !== undefined) {
      await runAgentScript(vm, attachScript(spec))
      await prepare(vm)
    }
    const refused = await saved(vm, running, join(directory, STATE_FILE), prepare && detachScript(spec))
    await running.close(async (machineDirectory) => {
      if (refused !== undefined) return
      await onDisk(cache, async () => {
        if (unnamed) await copyMemory(unnamed, memoryFile)
        await keepFiles(machineDirectory, running, directory)
      })
    })
    return refused
  } catch (error) {
    // The kernel sends SIGBUS when the disk has no space for a page that the guest wrote.
    if (!running.machine.gone || (await running.ended).signal !== 'SIGBUS') throw error
    throw cacheUnusable(cache, error, 'the disk has no space for the memory of the guest')
  } finally {
    await vm.close()
  }
}

/** A machine that was started from a template, to be prepared further. */
export interface LayerMachine {
  readonly base: StoredTemplate
  readonly vm: VM
  /** Content of each device that can be attached after a restore. */
  readonly contents: readonly (string | undefined)[]
}

/** Starts a machine from the base of a layer. @throws as {@link launchFrom} and {@link resume} */
export async function startOver({ spec, digests }: MakeRequest, base: StoredTemplate): Promise<LayerMachine> {
  const contents = await attachmentContents(spec, digests)
  const restoration = { spec, stored: base, changed: changedPositions(contents, base.contents) }
  return { base, vm: await resume(restoration, await launchFrom(restoration)), contents }
}

/** Prepares a machine further, saves the changes to a folder, and ends it. @returns the reason if it cannot be saved */
export async function makeLayer(
  { directory, onBoot }: MakeRequest,
  { base, vm, contents }: LayerMachine,
  step: PrepareStep,
): Promise<string | LayerParts> {
  await using _ = vm
  await keepContents(directory, contents)
  onBoot?.(vm)
  await step.run(vm)
  try {
    const { console, state } = await vm.keepState(directory)
    await onDisk(dirname(directory), () => writeFile(join(directory, CONSOLE_FILE), console, { mode: 0o600 }))
    return { base, state }
  } catch (error) {
    if (error instanceof UnsavableError) return error.why
    if (!ColdbootError.is(error)) throw cacheUnusable(dirname(directory), error)
    if (error.code === 'MACHINE_UNSAVABLE' || error.code === 'ATTACH_FAILED') return error.shortMessage
    throw error
  }
}

function keepContents(directory: string, contents: readonly (string | undefined)[]): Promise<void> {
  const file = join(directory, CONTENTS_FILE)
  return onDisk(dirname(directory), () => writeFile(file, JSON.stringify(contents), { mode: 0o600 }))
}

async function onDisk(cache: string, job: () => Promise<void>): Promise<void> {
  try {
    await job()
  } catch (error) {
    throw cacheUnusable(cache, error)
  }
}

/** Saves the state. @returns the reason if the machine cannot be saved, from QEMU or the guest */
async function saved(vm: VM, running: RunningMachine, stateFile: string, detach = ''): Promise<string | undefined> {
  const exited = running.ended.then(() => {
    throw new TemplateError('TEMPLATE_UNSAVABLE', 'The machine ended while it was being saved')
  })
  exited.catch(() => {})
  try {
    const save = async (): Promise<void> => {
      await runAgentScript(vm, detach)
      await saveState(running.machine.qmp, running.directory, stateFile)
    }
    await Promise.race([save(), exited])
    return undefined
  } catch (error) {
    // Other errors come from writing the state file.
    if (!ColdbootError.is(error)) throw cacheUnusable(dirname(dirname(stateFile)), error)
    // The stream of QMP ends before the process. QEMU is killed if it does not exit.
    if (error.code === 'MACHINE_EXITED') return exited
    if (error.code === 'QMP_FAILED' || error.code === 'ATTACH_FAILED') return error.shortMessage
    throw error
  }
}

/** Copies the files of the machine: its console log, and those of its devices (overlays, images). */
async function keepFiles(machineDirectory: string, running: RunningMachine, directory: string): Promise<void> {
  const { logFile } = running.spec
  const file = join(directory, CONSOLE_FILE)
  // A filtered log differs from the console output, so the output is written instead.
  if (logFile?.filter === undefined) await copyFile(running.logFile, file)
  else await writeFile(file, running.console.raw(), { mode: 0o600 })
  const files = join(directory, FILES_DIRECTORY)
  await mkdir(files, { mode: 0o700 })
  for (const path of await deviceFiles(machineDirectory))
    await cp(path, join(files, basename(path)), { recursive: true })
}

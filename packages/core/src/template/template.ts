/** Public API of templates: a machine that is booted once, prepared, saved, and then restored for each start. */
import { copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { types } from 'node:util'
import { ColdbootError, OptionError, TemplateError } from '../errors.ts'
import { cacheUnusable } from '../host/files/cache.ts'
import type { AdmissionLimits } from '../host/machines/admission.ts'
import { warnOnce } from '../host/warnings.ts'
import {
  attachmentContents,
  attachmentIdentity,
  attachScript,
  changedPositions,
  detachScript,
  runAgentScript,
  withRestoreAttachments,
} from '../machine/restore-attachment.ts'
import { RunningMachine } from '../machine/running-machine.ts'
import { VM } from '../machine/vm.ts'
import { locateQemu } from '../qemu/locate.ts'
import { saveState } from '../qemu/migration.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'
import type { RestoreOverrides } from '../spec/restore-overrides.ts'
import { launchFrom, resume } from './restore.ts'
import { templateKey } from './store/template-key.ts'
import {
  CONSOLE_FILE,
  CONTENTS_FILE,
  FILES_DIRECTORY,
  MEMORY_FILE,
  STATE_FILE,
  type TemplateStore,
  templateStore,
} from './store/template-store.ts'
import { refillPool, takePooled } from './warm-pool.ts'

/** Options of {@link Template.build}. */
export interface TemplateOptions {
  /** Prepares the machine after its boot, once: installs, logs in, loads data. Identified by its source text. */
  readonly prepare?: ((vm: VM) => unknown) | undefined
  /**
   * Whether each start also restores the next machine in the background. With limits, only if it fits within them. See
   * {@link endPool}. @default false
   */
  readonly pool?: boolean | AdmissionLimits | undefined
  /**
   * Called with each machine that boots, as soon as it is started: one that becomes the template, or one that boots
   * because the template cannot be used. For example, to show the output of a failed boot.
   */
  readonly onBoot?: ((vm: VM) => void) | undefined
  /** Distinguishes templates whose `prepare` has the same source, for example by a version that it uses. @default '' */
  readonly key?: string | undefined
}

/** A saved machine from which others are started. */
export class Template {
  /** 32 hexadecimal digits, the same for machines that look the same to the guest. */
  readonly key: string
  readonly #options: MachineOptions
  readonly #templateOptions: TemplateOptions
  readonly #store: TemplateStore

  private constructor(key: string, options: MachineOptions, templateOptions: TemplateOptions, store: TemplateStore) {
    this.key = key
    this.#options = options
    this.#templateOptions = templateOptions
    this.#store = store
  }

  /**
   * Finds the template of these options in the cache, or boots a machine to its `ready` pattern, prepares it and saves
   * it. One process builds the template while the others wait.
   *
   * @throws OptionError as `VM.start` does, and `INVALID_OPTION` without `ready`
   * @throws TemplateError `TEMPLATE_UNSAVABLE` with the reason
   * @throws ExpectError when the machine does not become ready; any error of `prepare`
   */
  static async build(options: MachineOptions, templateOptions: TemplateOptions = {}): Promise<Template> {
    const spec = withRestoreAttachments(resolveOptions(options))
    if (spec.ready === undefined) {
      throw new OptionError(
        'INVALID_OPTION',
        'A template needs `ready`, a pattern that the console prints when the boot is complete',
      )
    }
    const { command: qemu, version: qemuVersion } = await locateQemu(spec.arch, spec.qemu)
    const store = templateStore()
    const prepare = String(templateOptions.prepare ?? '')
    const userKey = templateOptions.key ?? ''
    const key = await templateKey({ spec, qemu, qemuVersion, prepare, userKey, digests: store.digests })
    const stored = await store.findOrMake(key, (directory) => make(directory, store.digests, spec, templateOptions))
    if ('unsavable' in stored) {
      throw new TemplateError('TEMPLATE_UNSAVABLE', `Machine "${spec.name}" cannot be saved: ${stored.unsavable}`)
    }
    return new Template(key, options, templateOptions, store)
  }

  /**
   * Starts a machine from the template: running and prepared, with all its output consumed.
   *
   * If the template is missing or damaged, or the restore fails, it is removed with a warning, and the machine boots.
   *
   * @throws OptionError, StartError as `VM.start` does
   */
  async start(overrides: RestoreOverrides = {}): Promise<VM> {
    const resolved = resolveOptions({ ...this.#options, ...overrides })
    const stored = await this.#store.find(this.key)
    if (stored !== undefined && !('unsavable' in stored)) {
      const spec = withRestoreAttachments(resolved)
      const contents = await attachmentContents(spec, this.#store.digests)
      const restoration = { spec, stored, changed: changedPositions(contents, stored.contents) }
      const line = { key: this.key, identity: attachmentIdentity(spec, contents) }
      try {
        const launched = (await takePooled(line)) ?? (await launchFrom(restoration))
        const vm = await resume(restoration, launched)
        const { pool: ahead = false } = this.#templateOptions
        if (ahead !== false) refillPool(line, restoration, ahead === true ? undefined : ahead)
        return vm
      } catch (error) {
        const reason = restoreFailure(error, stored.directory)
        if (reason === undefined) throw error
        // A read-only cache keeps the template, so the machine boots each time.
        await this.#store.remove(this.key).catch(() => {})
        warnOnce(`A template could not be restored and was removed. The machine boots instead. ${reason}`)
      }
    }
    return coldStart(resolved, this.#templateOptions)
  }

  /** Removes the template from the cache. Machines started from it keep running. */
  async remove(): Promise<void> {
    await this.#store.remove(this.key)
  }
}

const RESTORE_FAILURES: readonly string[] = ['START_FAILED', 'QMP_FAILED', 'ATTACH_FAILED']

/**
 * The reason if a bad or just removed template caused the error. Other errors, such as an abort, would happen again.
 */
function restoreFailure(error: unknown, directory: string): string | undefined {
  if (ColdbootError.is(error)) return RESTORE_FAILURES.includes(error.code) ? error.shortMessage : undefined
  const ofTemplate = types.isNativeError(error) && 'path' in error && String(error.path).startsWith(directory)
  return ofTemplate ? error.message : undefined
}

/** Boots a machine, waits until it is ready, and prepares it. */
export async function coldStart(spec: MachineSpec, { prepare, onBoot }: TemplateOptions): Promise<VM> {
  const running = await RunningMachine.spawn(spec)
  const vm = new VM(running)
  await running.begin(vm)
  onBoot?.(vm)
  try {
    await vm.ready()
    await prepare?.(vm)
  } catch (error) {
    await vm.close()
    throw error
  }
  return vm
}

/** Boots, prepares and saves a machine to a folder. @returns the reason if it cannot be saved */
async function make(
  directory: string,
  digests: string,
  spec: MachineSpec,
  options: TemplateOptions,
): Promise<string | undefined> {
  const cache = dirname(directory)
  const contents = await attachmentContents(spec, digests)
  await onDisk(cache, () => writeFile(join(directory, CONTENTS_FILE), JSON.stringify(contents), { mode: 0o600 }))
  const plan = { memory: { path: join(directory, MEMORY_FILE), shared: true } }
  const running = await RunningMachine.spawn(spec, plan)
  const vm = new VM(running)
  try {
    await running.begin(vm)
    options.onBoot?.(vm)
    await vm.ready()
    if (options.prepare !== undefined) {
      await runAgentScript(vm, attachScript(spec))
      await options.prepare(vm)
    }
    const refused = await saved(vm, running, join(directory, STATE_FILE), options.prepare && detachScript(spec))
    await running.close(async (machineDirectory) => {
      if (refused === undefined) await onDisk(cache, () => keepFiles(machineDirectory, running, directory))
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

async function onDisk(cache: string, job: () => Promise<void>): Promise<void> {
  try {
    await job()
  } catch (error) {
    throw cacheUnusable(cache, error)
  }
}

/** @returns the reason if the machine cannot be saved, from QEMU or the guest */
async function saved(vm: VM, running: RunningMachine, stateFile: string, detach = ''): Promise<string | undefined> {
  const exited = running.ended.then(() => {
    throw new TemplateError('TEMPLATE_UNSAVABLE', 'The machine ended while it was being saved')
  })
  try {
    const save = async (): Promise<void> => {
      await runAgentScript(vm, detach)
      await saveState(running.machine.qmp, running.directory, stateFile)
    }
    await Promise.race([save(), exited])
    return undefined
  } catch (error) {
    if (ColdbootError.is(error) && (error.code === 'QMP_FAILED' || error.code === 'ATTACH_FAILED')) {
      return error.shortMessage
    }
    throw error
  }
}

/** Copies the files of the machine: its console log, and those of its devices (overlays, images). */
async function keepFiles(machineDirectory: string, running: RunningMachine, directory: string): Promise<void> {
  const { logFile } = running.spec
  const file = join(directory, CONSOLE_FILE)
  // A filtered log differs from the output.
  if (logFile?.filter === undefined) await copyFile(running.logFile, file)
  else await writeFile(file, running.console.raw(), { mode: 0o600 })
  const files = join(directory, FILES_DIRECTORY)
  await mkdir(files, { mode: 0o700 })
  for (const name of await readdir(machineDirectory)) {
    if (name.startsWith('console.log')) continue
    await cp(join(machineDirectory, name), join(files, name), { recursive: true })
  }
}

/** Public API of templates. A machine is booted, prepared and saved once, and then restored for each start. */
import { OptionError } from '../errors.ts'
import type { AdmissionLimits } from '../host/machines/admission.ts'
import { warnOnce } from '../host/warnings.ts'
import {
  attachmentContents,
  attachmentIdentity,
  changedPositions,
  withRestoreAttachments,
} from '../machine/restore-attachment.ts'
import { RunningMachine } from '../machine/running-machine.ts'
import { VM } from '../machine/vm.ts'
import { type CheckTable, checkTable } from '../options/checked-options.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions, withOverrides } from '../spec/machine-spec.ts'
import { RESTORE_CHECKS, type RestoreOverrides } from '../spec/restore-overrides.ts'
import type { PoolKey } from './pool/machine-pool.ts'
import { type StartPool, startPool } from './pool/start-pool.ts'
import {
  isPrepare,
  isTemplateKeys,
  type Preparation,
  type PreparationOptions,
  preparationOf,
  runAll,
  stepsOf,
} from './preparation.ts'
import { provideTemplate, type TemplateRequest } from './provide-template.ts'
import { launchFrom, type Restoration, restoreFailure, resume } from './restore.ts'
import type { StoredTemplate } from './store/template-folder.ts'
import { type TemplateStore, templateStore } from './store/template-store.ts'

/** Options of {@link Template.build}. */
export interface TemplateOptions extends PreparationOptions {
  /**
   * Whether each start also restores the next machine in the background. If limits are given, only within these limits.
   * See {@link endPool}. @default false
   */
  readonly pool?: boolean | AdmissionLimits | undefined
  /**
   * Called with each machine that boots or becomes a layer, as soon as it is started, for example to show the output of
   * a failed boot. A machine boots to become the template, or because the template cannot be used. @default none
   */
  readonly onBoot?: ((vm: VM) => void) | undefined
}

/** Options of {@link Template.provide}. */
export interface ProvideOptions extends TemplateOptions {
  /** Path of the socket that starts the keeper of the run, for `pool`. @default none: the pool of this process */
  readonly keeper?: string | undefined
  /** Whether further starts of this machine are expected. If not, the pool waits for the second one. @default true */
  readonly isRepeated?: boolean | undefined
  /** Called with each machine that is restored, before its guest runs. @default nothing */
  readonly onRestore?: ((vm: VM) => void) | undefined
}

/** The options for starts from a template. */
type TemplateUse = Pick<ProvideOptions, 'pool' | 'keeper' | 'isRepeated' | 'onBoot' | 'onRestore'>

/** Options of {@link Template.extend}. */
export interface ExtendOptions extends PreparationOptions {
  /** The steps that prepare the machine further. */
  readonly prepare: NonNullable<PreparationOptions['prepare']>
}

const PREPARATION_CHECKS: CheckTable<Required<PreparationOptions>> = { prepare: isPrepare, key: isTemplateKeys }

const TEMPLATE_CHECKS: CheckTable<Required<TemplateOptions>> = {
  ...PREPARATION_CHECKS,
  pool: [
    'true, false or limits',
    (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
  ],
  onBoot: ['a function', (value) => typeof value === 'function'],
}

function poolOf(use: TemplateUse, key: PoolKey, restoration: Restoration): StartPool | undefined {
  const { pool, keeper, isRepeated } = use
  if (pool === undefined || pool === false) return undefined
  return startPool(key, restoration, { keeper, isRepeated, limits: pool === true ? undefined : pool })
}

/** A saved machine from which others are started. */
export class Template {
  /** 32 hexadecimal digits. Equal for machines that a guest cannot distinguish. */
  readonly key: string
  readonly #spec: MachineSpec
  readonly #templateOptions: TemplateUse
  readonly #preparation: Preparation
  readonly #store: TemplateStore

  private constructor(
    key: string,
    spec: MachineSpec,
    templateOptions: TemplateUse,
    { preparation, store }: Pick<TemplateRequest, 'preparation' | 'store'>,
  ) {
    this.key = key
    this.#spec = spec
    this.#templateOptions = templateOptions
    this.#preparation = preparation
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
    checkTable('Template.build', templateOptions, TEMPLATE_CHECKS)
    return Template.provide(resolveOptions(options), templateOptions)
  }

  /** @internal Same as {@link build}, with options that are already resolved and checked. */
  static provide(spec: MachineSpec, templateOptions: ProvideOptions): Promise<Template> {
    return Template.#provide(spec, templateOptions, preparationOf(templateOptions))
  }

  static async #provide(
    spec: MachineSpec,
    { pool, keeper, isRepeated, onBoot, onRestore }: TemplateUse,
    preparation: Preparation,
  ): Promise<Template> {
    if (spec.ready === undefined) {
      throw new OptionError(
        'INVALID_OPTION',
        'A template needs `ready`, a pattern that the console prints when the boot is complete',
      )
    }
    const store = templateStore()
    const { key } = await provideTemplate({ spec, preparation, onBoot, store })
    return new Template(key, spec, { pool, keeper, isRepeated, onBoot, onRestore }, { preparation, store })
  }

  /**
   * Finds or makes a template of a machine that is started from this template and prepared further. The result is a
   * layer: it stores only the changes, and needs this template.
   *
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`; otherwise as {@link build}
   */
  async extend(options: ExtendOptions): Promise<Template> {
    checkTable('template.extend', options, PREPARATION_CHECKS)
    if (options.prepare === undefined) throw new OptionError('INVALID_OPTION', 'template.extend: `prepare` is missing')
    const layers = [...this.#preparation.layers, ...stepsOf(options)]
    return Template.#provide(this.#spec, this.#templateOptions, { ...this.#preparation, layers })
  }

  /**
   * Starts a machine from the template. It is running and prepared, and all earlier output is consumed.
   *
   * If the template is missing or damaged, or cannot be restored, it is removed with a warning, and the machine boots.
   *
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`; `DEVICE_CONFLICT` when a running machine uses a device that
   * cannot be shared
   * @throws StartError as `VM.start` does
   */
  async start(overrides: RestoreOverrides = {}): Promise<VM> {
    checkTable('template.start', overrides, RESTORE_CHECKS)
    const resolved = withOverrides(this.#spec, overrides)
    for (const device of resolved.devices) device.requireFree?.()
    const found = await this.#store.find(this.key)
    if (found !== undefined && !('unsavable' in found)) {
      const stored = await withoutLayers(found, this.#store)
      const spec = withRestoreAttachments(resolved)
      const contents = await attachmentContents(spec, this.#store.digests)
      const restoration = { spec, stored, changed: changedPositions(contents, stored.contents) }
      const key = { key: this.key, identity: attachmentIdentity(spec, contents) }
      try {
        const pool = poolOf(this.#templateOptions, key, restoration)
        const launched = (await pool?.take()) ?? (await launchFrom(restoration))
        const vm = await resume(restoration, launched, this.#templateOptions.onRestore)
        pool?.refill()
        return vm
      } catch (error) {
        const reason = restoreFailure(error, stored)
        if (reason === undefined || resolved.signal?.aborted) throw error
        // In a read-only cache, the template cannot be removed, so the machine boots each time.
        await this.#store.remove(this.key).catch(() => {})
        warnOnce(`A template could not be restored and was removed. The machine boots instead. ${reason}`)
      }
    } else {
      warnOnce('A template is missing or damaged. The machine boots instead.')
    }
    return coldStart(resolved, this.#preparation, this.#templateOptions.onBoot)
  }

  /** Removes the template from the cache. Machines started from it keep running. */
  async remove(): Promise<void> {
    await this.#store.remove(this.key)
  }
}

/** Returns the template with its memory in one file, if it can be composed, because machines then start faster. */
async function withoutLayers(stored: StoredTemplate, store: TemplateStore): Promise<StoredTemplate> {
  return stored.layers.length === 0 ? stored : (await import('./composed-layer.ts')).composedLayer(stored, store)
}

/** Boots a machine, waits until it is ready if it has a `ready` pattern, and prepares it. */
export async function coldStart(
  spec: MachineSpec,
  preparation: Preparation,
  onBoot: TemplateOptions['onBoot'],
): Promise<VM> {
  const running = await RunningMachine.spawn(spec)
  const vm = new VM(running)
  await running.begin(vm)
  try {
    onBoot?.(vm)
    if (spec.ready !== undefined) await vm.ready()
    await runAll(preparation, vm)
  } catch (error) {
    await vm.close()
    throw error
  }
  return vm
}

/** Starts a machine that is ready for a test: from a template if it can be saved, otherwise by a boot. */

import { ColdbootError } from '../errors.ts'
import { type AdmissionLimits, admit } from '../host/machines/admission.ts'
import { warnOnce } from '../host/warnings.ts'
import type { VM } from '../machine/vm.ts'
import { type MachineSpec, resolveOptions, withOverrides } from '../spec/machine-spec.ts'
import { KeeperClient } from './keeper/keeper-client.ts'
import { endPool } from './pool/end-pool.ts'
import { preparationOf } from './preparation.ts'
import { coldStart, type ProvideOptions, Template, type TemplateOptions } from './template.ts'
import { checkVMOptions, limitsOf, type TemplatePolicy, type VMOptions } from './vm-options.ts'

/** Options that a test runner passes to {@link startReady}, in addition to those of the user. */
export interface RunnerOptions {
  /** Called with each machine that boots, as soon as it is started. */
  readonly onBoot?: TemplateOptions['onBoot']
  /** Called with each machine that is restored from a template, before its guest runs. */
  readonly onRestore?: ProvideOptions['onRestore']
  /** See `AdmissionRequest.owner`. All machines of a test have the same one. */
  readonly owner?: string | undefined
  /** Path of the socket that starts the keeper of the run, for `pool`. @default none: the pool of this process */
  readonly keeper?: string | undefined
  /** Whether further tests are expected to start this machine. If not, the pool waits for the second. @default true */
  readonly isRepeated?: boolean | undefined
}

/**
 * Starts a machine and waits until it is ready: its `ready` pattern was printed, `prepare` has run, and the output of
 * both is consumed. Without `ready`, the machine boots without a wait, and cannot become a template.
 *
 * @throws as `VM.start`
 */
export async function startReady(
  options: VMOptions,
  { onBoot, onRestore, owner, keeper, isRepeated }: RunnerOptions = {},
): Promise<VM> {
  checkVMOptions(options)
  const { template = 'auto', prepare, templateKey, pool, maxMachines, memoryBudget, from, ...vmOptions } = options
  const limits = limitsOf({ maxMachines, memoryBudget })
  const spec = from ? withOverrides(from.spec, vmOptions) : resolveOptions(vmOptions)
  const { memoryMib, name, signal } = spec
  const admission = await admit({
    memoryMib,
    limits,
    signal,
    owner,
    onDeadlock(running) {
      warnOnce(
        `Machine "${name}" starts in excess of the limits (${describeLimits(limits)}), because all ${running} running machines belong to tests that wait for another machine. Raise the limits, or run fewer of these tests at once.`,
      )
    },
    onWait(ahead) {
      // Pooled machines count towards the limits, so they are ended.
      // Errors are ignored, because the limits ignore machines that have ended.
      endPool().catch(() => {})
      if (keeper !== undefined) new KeeperClient(keeper).end().catch(() => {})
      warnOnce(
        `Machine "${name}" waits until other machines end (machines ahead of it: ${ahead}). The limits are ${describeLimits(limits)}.`,
      )
    },
  })
  try {
    const how = { prepare, onBoot, onRestore, key: templateKey, pool: pool && limits, keeper, isRepeated }
    const vm = await (from ? from.start(vmOptions) : startBy(template, spec, how))
    void vm.ended.then(() => admission[Symbol.dispose]())
    return vm
  } catch (error) {
    admission[Symbol.dispose]()
    throw error
  }
}

/** Error codes after which the machine boots without a template. */
const WITHOUT_TEMPLATE: readonly string[] = ['TEMPLATE_UNSAVABLE', 'CACHE_UNUSABLE']

function describeLimits({ maxMachines, memoryMib }: AdmissionLimits): string {
  return `\`maxMachines\` ${maxMachines}, \`memoryBudget\` ${memoryMib} MiB`
}

async function startBy(policy: TemplatePolicy, spec: MachineSpec, how: ProvideOptions): Promise<VM> {
  const preparation = preparationOf(how)
  if (policy === 'off' || spec.ready === undefined) return coldStart(spec, preparation, how.onBoot)
  let template: Template
  try {
    template = await Template.provide(spec, how)
  } catch (error) {
    if (policy === 'required' || !ColdbootError.is(error) || !WITHOUT_TEMPLATE.includes(error.code)) throw error
    warnOnce(`No template is used, so machines boot for every test. ${error.shortMessage}`)
    return coldStart(spec, preparation, how.onBoot)
  }
  return template.start()
}

/** A machine ready for a test, by the fastest way there is: from a template where the machine can be saved, else by a boot. */

import { ColdbootError } from '../errors.ts'
import { type AdmissionLimits, admit, DEFAULT_LIMITS } from '../host/admission.ts'
import { warnOnce } from '../host/warnings.ts'
import { VM } from '../machine/vm.ts'
import {
  type CheckTable,
  checkTable,
  isFlag,
  isMemorySize,
  isString,
  memoryMibOf,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { VM_CHECKS } from '../spec/option-checks.ts'
import { coldStart, Template, type TemplateOptions } from './template.ts'
import { endPool } from './warm-pool.ts'

/**
 * `auto`: from a template where the machine can be saved, with a warning where it cannot. `required`: an error where it
 * cannot. `off`: by a boot.
 */
export type TemplatePolicy = 'auto' | 'off' | 'required'

/** Options of {@link startReady}: a machine, and how it is brought to readiness. */
export interface VMOptions extends MachineOptions {
  /** Whether the machine is booted once and started from its save ever after. @default 'auto' */
  readonly template?: TemplatePolicy | undefined
  /** Readies the machine after its boot; part of the template, so that it runs once. @default nothing */
  readonly prepare?: TemplateOptions['prepare']
  /** Tells apart what the source of `prepare` does not show: a version, a content it closes over. @default '' */
  readonly templateKey?: string | undefined
  /** Most machines that run at once, all processes of this user together. Who is one too many waits. @default 64 */
  readonly maxMachines?: number | undefined
  /** Guest memory that all machines may have together, with its unit. @default three quarters of the host's */
  readonly memoryBudget?: string | undefined
  /** Whether the next machine is made ahead while this one is used. See {@link endPool}. @default false */
  readonly pool?: boolean | undefined
}

/** Who starts a machine. */
export interface Starter {
  /** Told of each machine that boots for it, as soon as it is there. */
  readonly onBoot?: TemplateOptions['onBoot']
  /** See `AdmissionRequest.owner`: one word for all machines that are kept until the last of them is there. */
  readonly owner?: string | undefined
}

/**
 * Starts a machine and waits until it is ready: its `ready` pattern was printed, `prepare` has run, and the cursor is
 * behind both. Without `ready` it is handed over at once, and cannot be a template.
 *
 * @throws OptionError, StartError as `VM.start`; ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`
 * @throws TemplateError `TEMPLATE_UNSAVABLE` when `template` is `required`
 */
export async function startReady(options: VMOptions, { onBoot, owner }: Starter = {}): Promise<VM> {
  checkVMOptions(options)
  const { template = 'auto', prepare, templateKey, pool, maxMachines, memoryBudget, ...vmOptions } = options
  const limits = limitsOf({ maxMachines, memoryBudget })
  const { memoryMib, name, signal } = resolveOptions(vmOptions)
  const admission = await admit({
    memoryMib,
    limits,
    signal,
    owner,
    onDeadlock(running) {
      warnOnce(
        `Machine "${name}" starts in excess of the limits (${shown(limits)}), because all ${running} running machines belong to tests that wait for another one. Raise the limits, or run fewer of these tests at once.`,
      )
    },
    onWait(ahead) {
      // Machines made ahead hold places too: they are of no use to who waits.
      void endPool()
      warnOnce(
        `Machine "${name}" waits until other machines end (${ahead} are ahead of it). The limits are ${shown(limits)}.`,
      )
    },
  })
  try {
    const how = { prepare, onBoot, key: templateKey, pool: pool && limits }
    const vm = await startBy(template, vmOptions, how)
    void vm.ended.then(() => admission[Symbol.dispose]())
    return vm
  } catch (error) {
    admission[Symbol.dispose]()
    throw error
  }
}

/** What leaves a boot. */
const WITHOUT_TEMPLATE: readonly string[] = ['TEMPLATE_UNSAVABLE', 'CACHE_UNUSABLE']

function shown({ maxMachines, memoryMib }: AdmissionLimits): string {
  return `\`maxMachines\` ${maxMachines}, \`memoryBudget\` ${memoryMib} MiB`
}

async function startBy(policy: TemplatePolicy, options: MachineOptions, how: TemplateOptions): Promise<VM> {
  if (policy === 'off' || options.ready === undefined) return bootReady(options, how)
  let template: Template
  try {
    template = await Template.build(options, how)
  } catch (error) {
    if (policy === 'required' || !ColdbootError.is(error) || !WITHOUT_TEMPLATE.includes(error.code)) throw error
    warnOnce(`No template is used, so machines boot for every test. ${error.shortMessage}`)
    return bootReady(options, how)
  }
  return template.start()
}

const READY_CHECKS: CheckTable<Required<VMOptions>> = {
  ...VM_CHECKS,
  template: oneOf(['auto', 'off', 'required']),
  prepare: ['a function', (value) => typeof value === 'function'],
  templateKey: ['a string', isString],
  maxMachines: wholeNumber(1, 10_000),
  memoryBudget: isMemorySize,
  pool: isFlag,
}

/**
 * For who looks at the options before {@link startReady} does.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function checkVMOptions(options: VMOptions): void {
  checkTable('', options, READY_CHECKS)
}

function limitsOf({ maxMachines, memoryBudget }: Pick<VMOptions, 'maxMachines' | 'memoryBudget'>): AdmissionLimits {
  return {
    maxMachines: maxMachines ?? DEFAULT_LIMITS.maxMachines,
    memoryMib: memoryBudget === undefined ? DEFAULT_LIMITS.memoryMib : memoryMibOf(memoryBudget),
  }
}

async function bootReady(options: MachineOptions, how: TemplateOptions): Promise<VM> {
  const spec = resolveOptions(options)
  if (spec.ready !== undefined) return coldStart(spec, how)
  const vm = await VM.boot(options)
  how.onBoot?.(vm)
  try {
    await how.prepare?.(vm)
  } catch (error) {
    await vm.close()
    throw error
  }
  return vm
}

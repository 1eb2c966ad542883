/** A machine ready for a test, by the fastest way there is: from a template where the machine can be saved, else by a boot. */
import { ColdbootError } from './errors.ts'
import { resolveOptions } from './machine-spec.ts'
import type { VMOptions } from './options.ts'
import { coldStart, Template, type TemplateOptions } from './template.ts'
import { VM } from './vm.ts'
import { warnOnce } from './warnings.ts'

/**
 * `auto`: from a template where the machine can be saved, with a warning where it cannot. `required`: an error where it
 * cannot. `off`: by a boot.
 */
export type TemplatePolicy = 'auto' | 'off' | 'required'

/** Options of {@link startReady}: a machine, and how it is brought to readiness. */
export interface ReadyOptions extends VMOptions {
  /** Whether the machine is booted once and started from its save ever after. @default 'auto' */
  readonly template?: TemplatePolicy | undefined
  /** Readies the machine after its boot; part of the template, so that it runs once. @default nothing */
  readonly prepare?: TemplateOptions['prepare']
  /** Tells apart what the source of `prepare` does not show: a version, a content it closes over. @default '' */
  readonly templateKey?: string | undefined
  /** Whether the next machine is made ahead while this one is used. See {@link endPrefetched}. @default false */
  readonly prefetch?: boolean | undefined
}

/**
 * Starts a machine and waits until it is ready: its `ready` pattern was printed, `prepare` has run, and the cursor is
 * behind both. Without `ready` it is handed over at once, and cannot be a template.
 *
 * @param onBoot told of each machine that boots for it, as soon as it is there
 * @throws OptionError, StartError as `VM.start`; ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`
 * @throws TemplateError `TEMPLATE_UNSAVABLE` when `template` is `required`
 */
export async function startReady(options: ReadyOptions, onBoot?: TemplateOptions['onBoot']): Promise<VM> {
  const { template: policy = 'auto', prepare, templateKey, prefetch, ...vmOptions } = options
  if (policy === 'off' || vmOptions.ready === undefined) return bootReady(vmOptions, { prepare, onBoot })
  const { name, serialOutput, logFile, timeout, bootTimeout, timeoutMultiplier, signal } = vmOptions
  const overrides = { name, serialOutput, logFile, timeout, bootTimeout, timeoutMultiplier, signal }
  let template: Template
  try {
    template = await Template.build(vmOptions, { prepare, onBoot, key: templateKey, prefetch })
  } catch (error) {
    if (policy === 'required' || !ColdbootError.is(error) || error.code !== 'TEMPLATE_UNSAVABLE') throw error
    warnOnce(`Machines boot for every test. ${error.shortMessage}`)
    return bootReady(vmOptions, { prepare, onBoot })
  }
  return template.start(overrides)
}

async function bootReady(options: VMOptions, how: TemplateOptions): Promise<VM> {
  const spec = resolveOptions(options)
  if (spec.ready !== undefined) return coldStart(spec, how)
  const vm = await VM.start(options)
  how.onBoot?.(vm)
  try {
    await how.prepare?.(vm)
  } catch (error) {
    await vm.close()
    throw error
  }
  return vm
}

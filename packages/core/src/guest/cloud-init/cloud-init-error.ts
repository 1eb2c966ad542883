/** The error of a failed cloud-init. */
import { ColdbootError } from '../../errors.ts'
import type { CloudInitFailure } from './cloud-init-report.ts'

/** Facts of a failed cloud-init. */
export interface FailedCloudInit {
  /** Name of the machine. */
  readonly machine: string
  /** The failed modules; at least one. */
  readonly failures: readonly CloudInitFailure[]
  readonly recoverableErrors: readonly string[]
  /** Parts of logs: title → text. */
  readonly logs: Readonly<Record<string, string | undefined>>
}

/** A module of cloud-init failed. Code `CLOUD_INIT_FAILED`. */
export class CloudInitError extends ColdbootError {
  override readonly name: string = 'CloudInitError'
  /** The failed modules, in the order of the stages. */
  readonly failures: readonly CloudInitFailure[]
  readonly recoverableErrors: readonly string[]

  constructor({ machine, failures, recoverableErrors, logs }: FailedCloudInit) {
    const [first, ...others] = failures.map(describe)
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    super('CLOUD_INIT_FAILED', `cloud-init of "${machine}" failed in ${first}${more}`, {
      sections: { 'Further failures': others.join('\n'), ...logs, Warnings: recoverableErrors.join('\n') },
    })
    this.failures = failures
    this.recoverableErrors = recoverableErrors
  }
}

function describe({ module, stage, message }: CloudInitFailure): string {
  const where = module === undefined ? `the stage ${stage ?? 'that the log shows'}` : `the module ${module}`
  return `${where}${module === undefined || stage === undefined ? '' : ` (${stage})`}: ${message}`
}

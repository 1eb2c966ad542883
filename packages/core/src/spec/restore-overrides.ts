/** Options that may differ between a saved machine and the machines restored from it. */
import type { MachineOptions } from './machine-options.ts'
import { VM_CHECKS } from './option-checks.ts'

/** The options, which the guest cannot see. */
export type RestoreOverrides = Pick<
  MachineOptions,
  | 'name'
  | 'serialOutput'
  | 'logFile'
  | 'observer'
  | 'vmcore'
  | 'aroundDebug'
  | 'timeout'
  | 'bootTimeout'
  | 'timeoutMultiplier'
  | 'failOn'
  | 'signal'
>

type CheckOf<Key extends keyof MachineOptions> = Pick<typeof VM_CHECKS, Key>
const {
  name,
  serialOutput,
  logFile,
  observer,
  vmcore,
  aroundDebug,
  timeout,
  bootTimeout,
  timeoutMultiplier,
  failOn,
  signal,
} = VM_CHECKS

/** One check for each of {@link RestoreOverrides}. */
export const RESTORE_CHECKS: CheckOf<keyof RestoreOverrides> = {
  ...{
    name,
    serialOutput,
    logFile,
    observer,
    vmcore,
    aroundDebug,
    timeout,
    bootTimeout,
    timeoutMultiplier,
    failOn,
    signal,
  },
}

/** Options of a project: `testEnvironmentOptions: { coldboot: … }`. */
import type { VMOptions } from '@coldboot/core'
import { type CheckTable, checkTable, checkVMOptions, isObject } from '@coldboot/core/internal'
import { type ArtifactOptions, resolveArtifacts } from '@coldboot/report'

/** Options of a project, in `testEnvironmentOptions.coldboot`. Plain data only, because they are sent to the workers. */
export interface ColdbootOptions {
  /**
   * Default options of each machine.
   * @default {}
   */
  readonly vm?: VMOptions
  /**
   * Selects the files of machines that are kept.
   * @default {}: all files of failed attempts
   */
  readonly artifacts?: ArtifactOptions
}

const CHECKS: CheckTable<Required<ColdbootOptions>> = { vm: isObject, artifacts: isObject }

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkedOptions(given: unknown = {}): ColdbootOptions {
  const options = given as ColdbootOptions
  checkTable('testEnvironmentOptions.coldboot', options, CHECKS)
  const { vm, artifacts } = options
  checkVMOptions(vm ?? {})
  resolveArtifacts(artifacts ?? {})
  return options
}

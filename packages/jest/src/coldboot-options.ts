/** The options of a project: `testEnvironmentOptions: { coldboot: … }`. */
import { OptionError, type VMOptions } from '@coldboot/core'
import { type ArtifactOptions, resolveArtifacts } from '@coldboot/report'

/** Options of a project, in `testEnvironmentOptions.coldboot`. Plain data only, because they are sent to the workers. */
export interface ColdbootOptions {
  /**
   * Default options of each machine.
   * @default {}
   */
  readonly vm?: VMOptions
  /**
   * Which files of the machines are kept.
   * @default {}: all files of failed attempts
   */
  readonly artifacts?: ArtifactOptions
}

const KEYS = ['vm', 'artifacts'] as const

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkedOptions(options: unknown = {}): ColdbootOptions {
  if (!isPlain(options)) throw new OptionError('INVALID_OPTION', '`testEnvironmentOptions.coldboot` must be an object')
  for (const [key, value] of Object.entries(options)) {
    if (!KEYS.some((known) => known === key)) {
      throw new OptionError('UNKNOWN_OPTION', `testEnvironmentOptions.coldboot: Unknown option \`${key}\``, {
        hint: `The options are ${KEYS.join(', ')}.`,
      })
    }
    if (value !== undefined && !isPlain(value)) {
      throw new OptionError('INVALID_OPTION', `testEnvironmentOptions.coldboot: \`${key}\` must be an object`)
    }
  }
  const { artifacts }: ColdbootOptions = options
  resolveArtifacts(artifacts ?? {})
  return options
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

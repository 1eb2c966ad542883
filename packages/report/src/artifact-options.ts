/** What is kept of the machines of a test, as a user asks for it. */
import { OptionError } from '@coldboot/core'

/** When files are kept. */
export type Retention = 'on-failure' | 'always' | 'never'

/** What is kept of the machines of a test. */
export interface ArtifactOptions {
  /**
   * `on-failure`: the files of failed attempts. `always`: of all. `never`: none are written; what the errors tell of the
   * machines is not affected. @default 'on-failure'
   */
  readonly retain?: Retention | undefined
  /**
   * Most bytes of each file. Of a longer console the beginning and the end are kept, of all else the beginning; what is
   * cut is said in the file and in `meta.json`. @default 16_777_216 (16 MiB)
   */
  readonly maxBytes?: number | undefined
  /**
   * Secrets, replaced by `[redacted]` in every file and in the errors that the runner reports: texts, or regular
   * expressions, which see one line at a time. Empty texts are passed over: a variable that is not set. What cannot be
   * searched, screenshots and captures, is not kept then. @default []
   */
  readonly redact?: readonly (string | RegExp)[] | undefined
}

/** Complete and checked. */
export type ResolvedArtifacts = { readonly [Name in keyof ArtifactOptions]-?: NonNullable<ArtifactOptions[Name]> }

const RETENTIONS: readonly unknown[] = ['on-failure', 'always', 'never'] satisfies Retention[]
const MAX_BYTES = 16 * 2 ** 20
/** A file of less could not even say that it was cut. */
const LEAST_BYTES = 4096

const CHECKS: Readonly<Record<keyof ArtifactOptions, readonly [expected: string, (value: unknown) => boolean]>> = {
  retain: ['`on-failure`, `always` or `never`', (value) => RETENTIONS.includes(value)],
  maxBytes: [
    `a whole number of at least ${LEAST_BYTES}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= LEAST_BYTES,
  ],
  redact: [
    'a list of texts and regular expressions',
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' || one instanceof RegExp),
  ],
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveArtifacts(options: ArtifactOptions): ResolvedArtifacts {
  for (const [key, value] of Object.entries(options)) {
    if (!(key in CHECKS)) {
      throw new OptionError('UNKNOWN_OPTION', `artifacts: Unknown option \`${key}\``, {
        hint: `The options are ${Object.keys(CHECKS).join(', ')}.`,
      })
    }
    const [expected, check] = CHECKS[key as keyof ArtifactOptions]
    if (value === undefined || check(value)) continue
    throw new OptionError('INVALID_OPTION', `artifacts: \`${key}\` must be ${expected}`)
  }
  const { retain = 'on-failure', maxBytes = MAX_BYTES, redact = [] } = options
  return { retain, maxBytes, redact }
}

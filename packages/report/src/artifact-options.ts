/** The `artifacts` option: defaults and checks. */
import { OptionError } from '@coldboot/core'
import { type CheckTable, checkTable, isFlag, oneOf, readEnvironment } from '@coldboot/core/internal'

/** When files are kept. */
export type Retention = 'on-failure' | 'always' | 'never'

/** Selects the files of a test's machines that are kept. */
export interface ArtifactOptions {
  /**
   * `on-failure`: keeps the files of failed attempts. `always`: of all attempts. `never`: writes none. Error messages are
   * not affected. @default 'on-failure'
   */
  readonly retain?: Retention | undefined
  /**
   * Maximum size of each file, bytes. A longer console keeps its start and its end, other files their start. The file and
   * `meta.json` state the size of the omitted part. @default 16_777_216 (16 MiB)
   */
  readonly maxBytes?: number | undefined
  /**
   * Secrets to replace by `[redacted]` in all files and in reported errors: strings, or regular expressions, which match
   * within one line. Empty strings, such as unset variables, are ignored. Screenshots and network captures cannot be
   * searched and are not kept if there are secrets. @default []
   */
  readonly redact?: readonly (string | RegExp)[] | undefined
  /**
   * Whether to save each machine at the end of the attempt for `npx coldboot resume`: `on-failure`, `always` or `never`. The
   * file contains the whole memory of the guest. Its limit is `maxBytes` if given, else 1 GiB. @default 'never';
   * 'on-failure' with COLDBOOT_KEEP=machine
   */
  readonly machine?: Retention | undefined
  /**
   * Whether to keep a film of each display: `on-failure`, `always` or `never`. The page of the run shows its frames. A film has at
   * most two frames per second, and at most `maxBytes`. @default 'never'
   */
  readonly film?: Retention | undefined
  /**
   * Whether to write `vmcore`, a dump of the guest's memory for crash or drgn, when the guest's kernel panics. Its limit is
   * `maxBytes` if given, else 1 GiB. With `allowReboot`, the machine needs a `pvpanic()` device. @default false
   */
  readonly vmcore?: boolean | undefined
  /**
   * Whether to allow `machine` and `vmcore` together with `redact`, although secrets are not removed from the guest's memory.
   * @default false
   */
  readonly unredactedMachine?: boolean | undefined
}

/** Checked artifact options with defaults. */
export type ResolvedArtifacts = { readonly [Name in keyof ArtifactOptions]-?: NonNullable<ArtifactOptions[Name]> } & {
  /** Maximum size of a saved machine, bytes. */
  readonly machineMaxBytes: number
}

const RETENTION = oneOf(['on-failure', 'always', 'never'] satisfies Retention[])
const MAX_BYTES = 16 * 2 ** 20
const MACHINE_MAX_BYTES = 2 ** 30
/** Smallest `maxBytes`: leaves space for the note that a file is incomplete. */
const LEAST_BYTES = 4096

const CHECKS: CheckTable<Required<ArtifactOptions>> = {
  retain: RETENTION,
  maxBytes: [
    `a whole number of at least ${LEAST_BYTES}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= LEAST_BYTES,
  ],
  redact: [
    'a list of strings and regular expressions',
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' || one instanceof RegExp),
  ],
  machine: RETENTION,
  film: RETENTION,
  vmcore: isFlag,
  unredactedMachine: isFlag,
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveArtifacts(options: ArtifactOptions): ResolvedArtifacts {
  checkTable('artifacts', options, CHECKS)
  const { retain = 'on-failure', maxBytes = MAX_BYTES, redact = [], film = 'never', vmcore = false } = options
  const { machine = readEnvironment().keep === undefined ? 'never' : 'on-failure', unredactedMachine = false } = options
  if ((machine !== 'never' || vmcore) && redact.some((secret) => secret !== '') && !unredactedMachine) {
    throw new OptionError(
      'INVALID_OPTION',
      `artifacts: the memory of a ${vmcore ? '`vmcore`' : 'saved `machine`'} may contain the secrets of \`redact\``,
      {
        hint: 'Remove one of the two options, or set `unredactedMachine: true`.',
      },
    )
  }
  const machineMaxBytes = options.maxBytes ?? MACHINE_MAX_BYTES
  return { retain, maxBytes, redact, machine, film, vmcore, unredactedMachine, machineMaxBytes }
}

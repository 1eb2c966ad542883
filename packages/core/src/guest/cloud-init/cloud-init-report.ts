/**
 * Parses the result files of cloud-init in `/run/cloud-init`, and finds the part of its log that explains a failure.
 */

/** An error that ended a module or a stage of cloud-init. */
export interface CloudInitFailure {
  /** Name of the module, such as `scripts_user`; undefined if a stage failed outside of its modules. */
  readonly module: string | undefined
  /** Name of the stage, such as `modules-final`; undefined if only `result.json` has the error. */
  readonly stage: string | undefined
  /** Error message of cloud-init. */
  readonly message: string
}

/** What cloud-init reports at its end. */
export interface CloudInitReport {
  /** Datasource, such as `DataSourceNoCloud [seed=/dev/sda][dsmode=net]`. */
  readonly datasource: string
  readonly failures: readonly CloudInitFailure[]
  /** Warnings and deprecations, each with its level, such as `WARNING: …`. */
  readonly recoverableErrors: readonly string[]
}

/**
 * @param result content of result.json
 * @param status content of status.json; '' if the file does not exist
 * @throws SyntaxError for a result that is not JSON
 */
export function readCloudInitReport(result: string, status: string): CloudInitReport {
  const { datasource, errors } = record(record(JSON.parse(result))['v1'])
  const stages = Object.entries(record(record(parsedOrEmpty(status))['v1']))
  const failures = stages.flatMap(([stage, facts]) =>
    texts(record(facts)['errors']).map((text) => failureOf(text, stage)),
  )
  // cloud-init 23.4 and later.
  const recoverable = stages.flatMap(([, facts]) => Object.entries(record(record(facts)['recoverable_errors'])))
  return {
    datasource: typeof datasource === 'string' ? datasource : '',
    failures: failures.length > 0 ? failures : texts(errors).map((text) => failureOf(text, undefined)),
    recoverableErrors: [...new Set(recoverable.flatMap(([level, list]) => texts(list).map((it) => `${level}: ${it}`)))],
  }
}

/**
 * The messages of cloud-init.log about the last run of a module, without debug messages if there are others.
 *
 * @param module undefined for all messages of the log
 * @returns '' if the log does not mention the module
 */
export function logAbout(log: string, module: string | undefined): string {
  // Lines of a traceback have no time. They belong to the message before them.
  const messages = log.split(/^(?=\d{4}-\d\d-\d\d )/m)
  const part = module === undefined ? messages : messagesOf(messages, module)
  const urgent = part.filter((text) => !/^[^\n]*\[DEBUG\]/.test(text) || text.includes('\nTraceback '))
  return (urgent.length > 0 ? urgent : part).join('').trimEnd()
}

function messagesOf(messages: readonly string[], module: string): readonly string[] {
  const name = module.replaceAll(/[-_]/g, '[-_]')
  // The log contains earlier boots too.
  const start = messages.findLastIndex((text) => new RegExp(`\\bstart: [\\w-]+/config-${name}:`).test(text))
  if (start === -1) return []
  const next = messages.findIndex((text, index) => index > start && /\bstart: [\w-]+\/config-/.test(text))
  return messages.slice(start, next === -1 ? undefined : next)
}

// Parses a Python tuple of a module name and an exception: `('scripts_user', RuntimeError('…'))`.
function failureOf(text: string, stage: string | undefined): CloudInitFailure {
  const [, module, message = text] = /^\(['"]([\w-]+)['"], ([^]*)\)$/.exec(text) ?? []
  return { module, stage, message }
}

function parsedOrEmpty(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

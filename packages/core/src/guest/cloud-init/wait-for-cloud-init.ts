/** Waits for the end of cloud-init, and reports failed modules with their part of the log. */
import { messageOf } from '../../errors.ts'
import { requireObject } from '../../options/checked-options.ts'
import type { Guest } from '../guest.ts'
import { excerpt, type FailedCommand, GuestCommandError } from '../guest-command-error.ts'
import { type Condition, NEVER, type WaitUntilOptions, waitUntil } from '../wait-until.ts'
import { CloudInitError } from './cloud-init-error.ts'
import { type CloudInitFailure, type CloudInitReport, logAbout, readCloudInitReport } from './cloud-init-report.ts'

/** Options of `vm.waitForCloudInit`. */
export interface WaitForCloudInitOptions extends Omit<WaitUntilOptions, 'interval'> {
  /** Timeout, milliseconds, before the multiplier. @default 300000 */
  readonly timeout?: number | undefined
}

/** A cloud-init that ended without failed modules. */
export interface CloudInitResult {
  /** Datasource, such as `DataSourceNoCloud [seed=/dev/sda][dsmode=net]`. */
  readonly datasource: string
  /**
   * Warnings and deprecations, such as keys of user data that cloud-init does not know. `cloud-init status` exits with
   * 2 for them. Always empty before version 23.4 of cloud-init.
   */
  readonly recoverableErrors: readonly string[]
  /** Time until the end of cloud-init was seen, milliseconds. */
  readonly duration: number
}

/** Default timeout, long enough without hardware acceleration, where Python takes seconds to start. Milliseconds. */
const DEFAULT_TIMEOUT_MS = 300_000
/** Pause between tries, because each try slows cloud-init down. Milliseconds. */
const INTERVAL_MS = 250

/** Separator before each file, because a console may show other messages between them. */
const MARK = '--- coldboot'
const LOG = '/var/log/cloud-init.log'
const OUTPUT = '/var/log/cloud-init-output.log'
/** Most bytes of a log that are read. */
const LOG_BYTES = 512 * 1024

const UNREAD_SEED: CloudInitFailure = {
  module: undefined,
  stage: 'init-local',
  message: 'it did not read the seed of `cloudInit()`. The kernel needs `vfat` and the driver of the disk',
}

/**
 * @param hasSeed whether the machine has the device `cloudInit`
 * @throws CloudInitError `CLOUD_INIT_FAILED`
 * @throws GuestCommandError `WAIT_TIMEOUT`, also at once when cloud-init is missing or disabled; others as `Guest.run`
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function waitForCloudInit(
  guest: Guest,
  hasSeed: boolean,
  options: WaitForCloudInitOptions,
): Promise<CloudInitResult> {
  requireObject('waitForCloudInit: the options', options)
  const { timeout = DEFAULT_TIMEOUT_MS, ...rest } = options
  const waitOptions = { ...rest, timeout, interval: INTERVAL_MS }
  const { output, duration } = await waitUntil(guest, 'waitForCloudInit', condition, undefined, waitOptions)
  const [, result = '', status = ''] = output.split(MARK)
  const { datasource, recoverableErrors, ...report } = reportOf(guest, {
    result,
    status,
    duration,
    via: guest.transport(rest.via).via,
  })
  const isUnread = hasSeed && datasource.startsWith('DataSourceNone')
  const failures = isUnread ? [UNREAD_SEED, ...report.failures] : report.failures
  if (failures.length === 0) return Object.freeze({ datasource, recoverableErrors, duration })
  const logs = await logsOf(guest, failures[0]?.module, rest)
  throw new CloudInitError({ machine: guest.name, failures, recoverableErrors, logs })
}

// `result.json` exists when cloud-init has ended. `cloud-init status --wait` would start Python each time.
function condition(): Condition {
  const never = `exit ${NEVER}`
  return {
    what: 'the end of cloud-init',
    command: `cd /run/cloud-init 2>/dev/null && [ -e result.json ] && { echo '${MARK}'; cat result.json; echo; echo '${MARK}'; cat status.json; exit 0; }
command -v cloud-init >/dev/null || { echo "The guest has no cloud-init."; ${never}; }
for file in /run/cloud-init/disabled /etc/cloud/cloud-init.disabled; do
  [ -e $file ] && { echo "cloud-init is disabled ($file): it found no seed, or was turned off."; ${never}; }
done
echo "cloud-init has not ended yet."; exit 1`,
    diagnose: `cat /run/cloud-init/status.json; tail -n 15 ${LOG} ${OUTPUT}`,
  }
}

interface PrintedResult extends Pick<FailedCommand, 'via' | 'duration'> {
  readonly result: string
  readonly status: string
}

function reportOf({ name }: Guest, { result, status, ...facts }: PrintedResult): CloudInitReport {
  try {
    return readCloudInitReport(result, status)
  } catch (cause) {
    const failed = { command: 'cat /run/cloud-init/result.json', machine: name, stdout: result, ...facts }
    const message = `The result of cloud-init in "${name}" cannot be read: ${messageOf(cause)}`
    throw new GuestCommandError('COMMAND_FAILED', message, failed, { cause })
  }
}

async function logsOf(
  guest: Guest,
  module: string | undefined,
  options: Omit<WaitForCloudInitOptions, 'timeout'>,
): Promise<Readonly<Record<string, string | undefined>>> {
  const end = async (path: string): Promise<string> => {
    const command = `tail -c ${LOG_BYTES} ${path}`
    return (await guest.run(command, { ...options, check: false })).stdout
  }
  const log = await end(LOG)
  const about = logAbout(log, module)
  return {
    [`Log of ${module ?? 'cloud-init'} (${LOG})`]: excerpt(about === '' ? logAbout(log, undefined) : about),
    [`Output (${OUTPUT})`]: excerpt(await end(OUTPUT)),
  }
}

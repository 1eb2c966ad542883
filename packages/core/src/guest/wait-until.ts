/**
 * Waits for something in the guest to come true: a command is tried there again and again until it exits with 0, so that
 * the time between its success and ours knowing it is one answer long.
 */
import { messageOf } from '../errors.ts'
import { type CheckTable, checkTable, isDuration } from '../options/checked-options.ts'
import { formatTime } from './command-transport.ts'
import type { Guest } from './guest.ts'
import { excerpt, GuestCommandError } from './guest-command-error.ts'
import { type CommandResult, checkRunOptions, quoteWord, type RunOptions } from './run-options.ts'

/** Options of `vm.waitUntil` and its kin. */
export interface WaitUntilOptions extends Pick<RunOptions, 'cwd' | 'env' | 'via' | 'signal'> {
  /** How long to wait in all, milliseconds, before the multiplier. @default 30000 */
  readonly timeout?: number | undefined
  /** Between the end of one try and the next, milliseconds. @default 100 */
  readonly interval?: number | undefined
}

/** A wait that has succeeded. */
export interface WaitUntilResult {
  /** The last try's output and errors, together. */
  readonly output: string
  /** How often it was tried. */
  readonly tries: number
  /** Until it succeeded. */
  readonly duration: number
}

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_INTERVAL_MS = 100
/** A try that hangs is ended so much later than the wait: until then it may still say why. */
const SLACK_MS = 5_000

/** Exit code of a try that knows that it will never succeed. */
export const NEVER = 113

const CHECKS: CheckTable<Pick<Required<WaitUntilOptions>, 'interval'>> = { interval: isDuration }

/** What is waited for. */
export interface Condition {
  /** Tried again and again by `sh`, in a process of its own. */
  readonly command: string
  /** Behind "waited for": "port 80 to be listened on". */
  readonly what: string
  /** Run once the wait has failed: what it prints is in the error. */
  readonly diagnose?: string
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkWaitOptions(owner: string, { interval, ...options }: WaitUntilOptions): void {
  checkTable(owner, { interval }, CHECKS)
  checkRunOptions(owner, options)
}

/**
 * @throws GuestCommandError `WAIT_TIMEOUT` with the last try's output; `COMMAND_LOST` and its kin
 */
export async function waitUntil(
  guest: Guest,
  { command, what, diagnose }: Condition,
  options: WaitUntilOptions,
): Promise<WaitUntilResult> {
  const { timeout = DEFAULT_TIMEOUT_MS, interval = DEFAULT_INTERVAL_MS, ...runOptions } = options
  const limitMs = guest.scale(timeout)
  const script = tries(command, limitMs, interval)
  const result = await attempt(() => guest.run(script, { ...runOptions, check: false, timeout: timeout + SLACK_MS }))
  // The last line of the errors is the loop's own; it may have ended just too late for its end to be known.
  const [, status, count] = /^tries (\d+) (\d+)\n$/.exec(text(result.stderr)) ?? []
  const lastStatus = status === undefined ? undefined : Number(status)
  const { duration } = result
  if (lastStatus === 0) return Object.freeze({ output: text(result.stdout), tries: Number(count), duration })
  const diagnosis = diagnose === undefined ? undefined : await diagnosed(guest, diagnose, runOptions)
  const how =
    lastStatus === NEVER ? 'but the condition can no longer become true' : `without success for ${formatTime(duration)}`
  const last =
    lastStatus === undefined
      ? 'the last try did not end'
      : `${count} ${count === '1' ? 'try' : 'tries'}, the last with exit code ${lastStatus}`
  const stdout = text(result.stdout)
  const facts = {
    command,
    machine: guest.name,
    via: result.via,
    exitCode: lastStatus,
    stdout,
    duration,
  }
  throw new GuestCommandError('WAIT_TIMEOUT', `"${guest.name}" waited for ${what} ${how} (${last})`, facts, {
    sections: { 'Standard output': undefined, 'Output of the last try': excerpt(stdout), Diagnosis: diagnosis },
  })
}

/**
 * A loop for `sh`: prints the output of the last try, and on standard error a line with its exit code and the count. The
 * clock is /proc/uptime, read without a process. Its names are not those of variables that the command may have.
 */
function tries(command: string, limitMs: number, intervalMs: number): string {
  return `
_cb_up=0 _cb_count=0
_cb_now() { read -r _cb_up _cb_rest </proc/uptime || return; _cb_rest=\${_cb_up#*.}; _cb_up=$((\${_cb_up%.*} * 10 + \${_cb_rest%?})); }
_cb_now; _cb_end=$((_cb_up + ${Math.ceil(limitMs / 100)}))
while :; do
  _cb_count=$((_cb_count + 1))
  _cb_output=$( (eval ${quoteWord(command)}) 2>&1 </dev/null); _cb_status=$?
  [ $_cb_status -ne 0 ] && [ $_cb_status -ne ${NEVER} ] || break
  _cb_now
  [ $_cb_up -lt $_cb_end ] || break
  sleep ${intervalMs / 1000} 2>/dev/null || sleep 1
done
printf '%s' "$_cb_output"; echo "tries $_cb_status $_cb_count" >&2; exit $_cb_status`
}

/** A try that hung is ended with the loop; its error is as good as a result. */
async function attempt(run: () => Promise<CommandResult>): Promise<CommandResult | GuestCommandError> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof GuestCommandError && error.code === 'COMMAND_TIMEOUT') return error
    throw error
  }
}

async function diagnosed(guest: Guest, diagnose: string, options: RunOptions): Promise<string> {
  try {
    const { stdout, stderr } = await guest.run(diagnose, { ...options, check: false })
    return stdout + stderr
  } catch (error) {
    return `The diagnosis itself failed: ${messageOf(error)}`
  }
}

function text(output: string | Uint8Array): string {
  return typeof output === 'string' ? output : Buffer.from(output).toString()
}

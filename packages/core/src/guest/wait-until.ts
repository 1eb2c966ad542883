/** Waits for a condition in the guest: repeats a command in the guest until it exits with 0, without round trips. */

import { messageOf } from '../errors.ts'
import { formatDuration } from '../format-duration.ts'
import { LONGEST_TIMER } from '../host/clock.ts'
import { type CheckTable, checkTable, isDuration, requireObject } from '../options/checked-options.ts'
import type { Guest } from './guest.ts'
import { excerpt, GuestCommandError } from './guest-command-error.ts'
import { type CommandResult, checkRunOptions, quoteWord, type RunOptions } from './run-options.ts'

/** Options of `vm.waitUntil` and similar methods. */
export interface WaitUntilOptions extends Pick<RunOptions, 'cwd' | 'env' | 'via' | 'signal'> {
  /** Timeout, milliseconds, before the multiplier. @default 30000 */
  readonly timeout?: number | undefined
  /** Pause between tries, milliseconds. @default 100 */
  readonly interval?: number | undefined
}

/** Result of a successful wait. */
export interface WaitUntilResult {
  /** Standard output and error of the last try, combined. */
  readonly output: string
  /** Number of tries. */
  readonly tries: number
  /** Time until the success, milliseconds. */
  readonly duration: number
}

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_INTERVAL_MS = 100
/** Time after the timeout for the last try to end by itself. Milliseconds. */
const SLACK_MS = 5_000

/** Exit code of a try after which the condition can never become true. */
export const NEVER = 113
const NEVER_HINT = 'The output of the last try says why. More time would not change it.'

const CHECKS: CheckTable<Pick<Required<WaitUntilOptions>, 'interval'>> = { interval: isDuration }

/** A condition in the guest. */
export interface Condition {
  /** Command, repeated by `sh` in a separate process. */
  readonly command: string
  /** Text after "waited for ", such as "a listener on port 80". */
  readonly what: string
  /** Command that runs after a failed wait. Its output is in the error. */
  readonly diagnose?: string
}

function checkWaitOptions(owner: string, options: WaitUntilOptions): void {
  requireObject(`${owner}: the options`, options)
  const { interval, ...others } = options
  checkTable(owner, { interval }, CHECKS)
  checkRunOptions(owner, others)
}

/**
 * @param method name of the called method, for errors
 * @param condition creates the condition for the subject of the wait
 * @throws GuestCommandError `WAIT_TIMEOUT` with the output of the last try; `COMMAND_LOST` and similar
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export async function waitUntil<T>(
  guest: Guest,
  method: string,
  condition: (subject: T) => Condition,
  subject: T,
  options: WaitUntilOptions,
): Promise<WaitUntilResult> {
  checkWaitOptions(method, options)
  const { command, what, diagnose } = condition(subject)
  const { timeout = DEFAULT_TIMEOUT_MS, interval = DEFAULT_INTERVAL_MS, ...runOptions } = options
  const limitMs = guest.scale(timeout)
  const script = tries(command, limitMs, interval)
  const result = await attempt(() => guest.run(script, { ...runOptions, check: false, timeout: timeout + SLACK_MS }))
  // The last line of standard error is from the loop. It is missing if the loop was killed before its end.
  const [, status, count] = /^tries (\d+) (\d+)\n$/.exec(text(result.stderr)) ?? []
  const lastStatus = status === undefined ? undefined : Number(status)
  const { duration } = result
  if (lastStatus === 0) return Object.freeze({ output: text(result.stdout), tries: Number(count), duration })
  const hint = lastStatus === NEVER ? NEVER_HINT : guest.adviceOnSilence
  const isAnswering = guest.adviceOnSilence === undefined
  const diagnosis = diagnose && isAnswering ? await diagnosed(guest, diagnose, runOptions) : undefined
  const how =
    lastStatus === NEVER
      ? 'but the condition can no longer become true'
      : `without success for ${formatDuration(duration)}`
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
    ...(hint === undefined ? {} : { hint }),
    sections: { 'Standard output': undefined, 'Output of the last try': excerpt(stdout), Diagnosis: diagnosis },
  })
}

/**
 * Creates a loop for `sh` that repeats the command until it succeeds or the limit is reached. It prints the output of
 * the last try and, on standard error, a line with its exit code and the number of tries. The clock is /proc/uptime,
 * which the shell reads without a process. Its variable names do not conflict with those of the command.
 */
function tries(command: string, limitMs: number, intervalMs: number): string {
  // Plain decimal numbers that every shell can read.
  const [limit, interval] = [Math.min(limitMs, LONGEST_TIMER), Math.min(Math.max(intervalMs, 1), LONGEST_TIMER)]
  return `
_cb_up=0 _cb_count=0
_cb_now() { read -r _cb_up _cb_rest </proc/uptime || return; _cb_rest=\${_cb_up#*.}; _cb_up=$((\${_cb_up%.*} * 10 + \${_cb_rest%?})); }
_cb_now; _cb_end=$((_cb_up + ${Math.ceil(limit / 100)}))
while :; do
  _cb_count=$((_cb_count + 1))
  _cb_output=$( (eval ${quoteWord(command)}) 2>&1 </dev/null); _cb_status=$?
  [ $_cb_status -ne 0 ] && [ $_cb_status -ne ${NEVER} ] || break
  _cb_now
  [ $_cb_up -lt $_cb_end ] || break
  sleep ${(interval / 1000).toFixed(3)} 2>/dev/null || sleep 1
done
printf '%s' "$_cb_output"; echo "tries $_cb_status $_cb_count" >&2; exit $_cb_status`
}

/** Returns the result, or the error if the last try was killed with the loop. */
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

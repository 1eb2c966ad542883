/** Reads the journal of a guest with systemd, to explain a failed test. */
import type { Incident } from '../console/incident/incident.ts'
import { startTimer, stopTimer } from '../host/clock.ts'
import type { CommandOutcome, CommandTransport } from './command-transport.ts'
import type { Guest } from './guest.ts'
import type { GuestTransport } from './run-options.ts'

/**
 * Timeout of the check for a journal. A dead guest delays the end of its test by it. Milliseconds, before the
 * multiplier.
 */
const ANSWER_MS = 2_000
/** Timeout of reading the journal. Milliseconds, before the multiplier. */
const READ_MS = 15_000

/** Most lines and bytes to read, by transport. A serial console is slow. */
const LIMITS: Readonly<Record<GuestTransport, { readonly lines: number; readonly bytes: number }>> = {
  agent: { lines: 20_000, bytes: 4 * 2 ** 20 },
  'guest-agent': { lines: 20_000, bytes: 4 * 2 ** 20 },
  shell: { lines: 1_000, bytes: 128 * 2 ** 10 },
}

const HAS_JOURNAL = '[ -d /run/systemd/system ] && command -v journalctl >/dev/null'

/** The machine of the guest. */
export interface JournalMachine {
  readonly state: string
  readonly isPaused: boolean
  readonly incidents: readonly Incident[]
}

/**
 * The journal of this boot, limited to its last lines.
 *
 * @param maxBytes most bytes
 * @returns undefined if the guest has no journal, has panicked, or does not answer soon
 * @throws Error with the reason when the journal cannot be read
 */
export async function readJournal(
  machine: JournalMachine,
  guest: Pick<Guest, 'explaining' | 'scale'>,
  maxBytes: number,
): Promise<string | undefined> {
  if (machine.state !== 'running' || machine.isPaused) return undefined
  if (machine.incidents.some(({ code }) => code === 'GUEST_PANICKED')) return undefined
  for (const transport of guest.explaining()) {
    const has = await run(transport, HAS_JOURNAL, guest.scale(ANSWER_MS))
    if (has?.exitCode === undefined) continue
    if (has.exitCode !== 0) return undefined
    return await journalBy(transport, guest.scale(READ_MS), maxBytes)
  }
  return undefined
}

async function journalBy(transport: CommandTransport, timeoutMs: number, maxBytes: number): Promise<string> {
  const { lines, bytes } = LIMITS[transport.via]
  const journal = `journalctl --boot --quiet --no-pager --output=short-precise --lines=${lines} 2>&1`
  const outcome = await run(transport, `${journal} | tail -c ${Math.min(bytes, maxBytes)}`, timeoutMs)
  if (outcome?.exitCode === 0) return Buffer.from(outcome.stdout).toString()
  throw new Error(`journalctl ${outcome?.failure?.message ?? `did not end within ${timeoutMs} ms`}`)
}

/** Runs a command, and returns after the timeout even if it cannot be killed. @returns undefined after the timeout */
async function run(
  transport: CommandTransport,
  command: string,
  timeoutMs: number,
): Promise<CommandOutcome | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = startTimer(() => late.resolve(undefined), timeoutMs)
  const request = { command, timeoutMs, cwd: undefined, env: {}, input: new Uint8Array(0), signal: undefined }
  const running = transport.run(request)
  running.catch(() => {})
  try {
    return await Promise.race([running, late.promise])
  } finally {
    stopTimer(timer)
  }
}

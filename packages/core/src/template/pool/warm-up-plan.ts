/**
 * Decides how a restored guest is warmed up. Commands of an agent and lines on the console run different code of the kernel, so
 * the guest is prepared for what the tests used last.
 */
import { AGENT_PORT, channelPosition } from '../../devices/helpers/guest-ports.ts'
import { EXEC, EXIT, encodeFrame, encodeTexts } from '../../guest/agent/agent-frames.ts'
import { lastUse } from '../../guest/agent/last-use.ts'
import { resyncRequests } from '../../guest/agent/resync.ts'
import type { Restoration } from '../restore.ts'
import type { WarmUpExchange } from './warm-up.ts'

/** Number of empty lines at a shell. The first command takes 20 ms after one line, 10 to 20 after two, then 10. */
const LINES = 4
/** A shell prompt. At a shell, an empty line only prints the prompt again. */
const SHELL_PROMPT = /[#$] $/
/** Shell integration mark after a prompt (OSC 133), as printed by the guest of `@coldboot/guest`. */
const MARK_AFTER_PROMPT = '\x1b]133;B\x07'

/** Id of the agent's requests in a warm-up. The connection of a test counts from 1. */
const WARM_UP_ID = 0xffff_fff0

/** A warm-up of a guest. */
export interface WarmUpPlan {
  /** Index in `spec.devices` of the channel to the agent. @default none: the exchange is on the console */
  readonly position?: number
  readonly exchange: WarmUpExchange
}

/** Undefined if the guest cannot be warmed up, or need not be. */
export function planWarmUp({ spec, stored }: Restoration): WarmUpPlan | undefined {
  // Without a prompt, the guest may still boot, and its agent may not have started.
  const prompt = spec.accelerator === 'tcg' ? promptOf(spec.ready, stored) : undefined
  if (prompt === undefined) return undefined
  const position = lastUse() === 'agent' ? channelPosition(spec.devices, AGENT_PORT) : -1
  if (position >= 0) return { position, exchange: withAgent(spec) }
  return { exchange: { request: '\n', end: Buffer.from(prompt).toString('latin1'), times: LINES } }
}

/**
 * The requests to the agent at each start, and a command. A later command takes 7 ms. The time and the entropy only make QEMU
 * translate the code: several machines of a pool get the same ones, and each start sends its own.
 */
function withAgent({ devices }: Restoration['spec']): WarmUpExchange {
  const noVariables = Buffer.alloc(4)
  const command = Buffer.concat([encodeTexts(['']), noVariables, encodeTexts(['echo'])])
  const keepsTime = devices.some((device) => device.keepsTime === true)
  const requests = [...resyncRequests(keepsTime), [EXEC, command] as const]
  const request = Buffer.concat(requests.map(([type, payload]) => encodeFrame(type, WARM_UP_ID, payload)))
  const status = Buffer.alloc(4)
  const exit = encodeFrame(EXIT, WARM_UP_ID, status).subarray(0, -status.length)
  return { request: request.toString('latin1'), end: exit.toString('latin1'), after: status.length }
}

/**
 * The shell prompt of the guest. The console must end with it, because otherwise a program that runs in the foreground
 * would receive the lines.
 */
function promptOf(ready: unknown, stored: Restoration['stored']): string | undefined {
  if (typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return undefined
  // Waits for the mark too, because input that arrives while the guest prints it would be echoed inside the mark.
  const marked = `${ready}${MARK_AFTER_PROMPT}`
  const text = Buffer.from(stored.console).toString('utf8')
  if (!text.endsWith(ready) && !text.endsWith(marked)) return undefined
  return text.includes(marked) ? marked : ready
}

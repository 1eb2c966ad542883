/** Diagnosis of a failed wait: the likely cause, the closest output, and the circumstances. */

import { describePatterns, type Pattern } from '../match/pattern.ts'
import type { RegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import { lastStage } from './boot-stage.ts'
import { withoutEchoes } from './echoes.ts'
import { knownCause } from './known-causes.ts'
import { nearMiss, type Searched } from './near-miss.ts'

/** Hint for a guest that the test has paused. */
export const PAUSED_ADVICE = 'The CPUs of the machine are paused: call `unpause()`.'

/** Length of the end of each view that is searched, characters. */
export const SEARCHED_CHARACTERS = 262_144

/** Input of a diagnosis. Times in milliseconds. */
export interface Evidence {
  readonly patterns: readonly Pattern[]
  readonly elapsedMs: number
  /** Time since the last byte; `undefined` if there was none. */
  readonly silentMs: number | undefined
  readonly searched: Searched
  /** The start of the clean text; `undefined` if it is no longer in memory. */
  readonly start: string | undefined
  readonly previousMatch: string | undefined
  /** Why the guest runs without hardware acceleration; undefined with it. */
  readonly emulatedBecause: string | undefined
  readonly regExpTimeout: RegExpTimeout
  /** The last text sent, if it does not end with Enter. */
  readonly unfinished?: string | undefined
  /** Whether the test has paused the CPUs. */
  readonly isPaused?: boolean | undefined
  /** Whether a terminal on the console answers queries. */
  readonly hasTerminal?: boolean | undefined
  /** The last lines sent with Enter, the oldest first. */
  readonly typed?: readonly string[] | undefined
}

/** Result of a diagnosis, for a message. */
export interface Diagnosis {
  /** Sentences about the likely cause and what to do; empty when none is found. */
  readonly advice: string
  /** The output that came closest. */
  readonly closest: string | undefined
  /** Lines of the form `name: value`. */
  readonly circumstances: string
}

/** Silence below which the machine counts as still working, milliseconds. */
const BUSY_MS = 1_000

export function diagnose(evidence: Evidence): Diagnosis {
  const { patterns, searched, regExpTimeout, start, unfinished = '', typed = [] } = evidence
  const printed = withoutEchoes(searched, typed)
  const incomplete = unfinished === '' ? undefined : noEnter(unfinished)
  const closest = patterns
    .map((pattern) => nearMiss(pattern, printed, regExpTimeout))
    .find((miss) => miss !== undefined)
  // The echo of an unfinished line resembles the pattern, but is not output.
  const near = incomplete !== undefined && closest?.text?.includes(unfinished) === true ? undefined : closest
  const query = evidence.hasTerminal === true ? undefined : terminalQuery(searched)
  const cause = query ?? knownCause(searched.clean)
  const advice = [
    incomplete,
    near?.hint,
    cause,
    incomplete === undefined && near === undefined && cause === undefined
      ? (atPrompt(evidence) ?? behaviour(evidence))
      : undefined,
  ]
  return {
    advice: advice.filter((sentence) => sentence !== undefined).join(' '),
    closest: near?.text?.slice(0, 500),
    circumstances: circumstances(evidence, start === undefined ? undefined : lastStage(start)),
  }
}

/** Queries to a terminal (ECMA-48, xterm), with a suitable answer to each. */
const QUERIES: readonly (readonly [query: RegExp, name: string, answer: string])[] = [
  [/^6n$/, 'the position of its cursor', '\\x1b[1;1R'],
  [/^5n$/, 'its state', '\\x1b[0n'],
  [/^0?c$/, 'its capabilities', '\\x1b[?6c'],
  [/^>0?c$/, 'its version', '\\x1b[>0;0;0c'],
]

/**
 * Hint for a query at the end of the output, except at a prompt: line editors send queries and continue without an
 * answer.
 */
function terminalQuery({ raw, clean }: Searched): string | undefined {
  const asked = /\x1b\[([56]n|>?0?c)(?:\x1b\[[\d;?]*[a-zA-Z]|\s)*$/.exec(raw.slice(-200))?.[1]
  const query = QUERIES.find(([pattern]) => asked !== undefined && pattern.test(asked))
  if (query === undefined || /[$#%>] ?$/.test(clean)) return undefined
  return `The guest asked its terminal for ${query[1]} (\`ESC[${asked}\`), and a console does not answer. If the program waits for the answer, set the machine's option \`terminal: true\`, send \`"${query[2]}"\`, or start the program with \`TERM=dumb\`.`
}

function noEnter(typed: string): string {
  return `The last text sent, ${JSON.stringify(typed)}, has no line end: a program that reads lines gets it only after Enter, \`\\n\`.`
}

/** A last line that ends like a prompt of a shell, a boot loader or a login. */
const PROMPT = /\S[#$%>] ?$|^[#$%>] ?$|(?:login|[Pp]assword): ?$/

function atPrompt(evidence: Evidence): string | undefined {
  const { searched, previousMatch, elapsedMs, silentMs = Infinity, patterns, isPaused } = evidence
  if (isPaused === true || silentMs < Math.min(BUSY_MS, elapsedMs)) return undefined
  const line = `${searched.consumed}${searched.clean}`.split('\n').at(-1) ?? ''
  if (!PROMPT.test(line)) return undefined
  const earlier = searched.clean === '' && previousMatch !== undefined ? ', which an earlier wait matched,' : ''
  const login = /login|password/i.test(describePatterns(patterns)) && !/: ?$/.test(line)
  const needless = login ? ' It is a shell that needs no login.' : ''
  return `The machine is at the prompt ${JSON.stringify(line.slice(-100))}${earlier} and waits for input.${needless}`
}

function behaviour({ elapsedMs, silentMs = Infinity, emulatedBecause, isPaused }: Evidence): string | undefined {
  if (isPaused === true) return PAUSED_ADVICE
  if (silentMs >= elapsedMs) {
    return 'Nothing was printed since the wait began: the guest is idle, waits for input, or the program that should print has ended.'
  }
  if (silentMs >= BUSY_MS) return undefined
  const slow = emulatedBecause === undefined ? '' : ' and is slow without hardware acceleration'
  return `The machine was still printing when the time was up${slow}. Raise \`timeout\`, or \`timeoutMultiplier\` on slow hosts.`
}

function circumstances({ previousMatch, emulatedBecause }: Evidence, stage: string | undefined): string {
  const lines = []
  if (previousMatch !== undefined) lines.push(`previous match: ${JSON.stringify(previousMatch.slice(-200))}`)
  if (stage !== undefined) lines.push(`boot: reached ${stage}`)
  if (emulatedBecause !== undefined) lines.push(`speed: emulated without hardware acceleration (${emulatedBecause})`)
  return lines.join('\n')
}

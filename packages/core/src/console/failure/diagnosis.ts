/** Why something awaited did not come, as far as the console can tell, and under which circumstances. */

import type { Pattern } from '../match/pattern.ts'
import type { Guard } from '../match/regexp-guard.ts'
import { lastStage } from './boot-stage.ts'
import { knownCause } from './known-causes.ts'
import { nearMiss, type Searched } from './near-miss.ts'

/** Characters at the end of each view that are looked at. */
export const SEARCHED_CHARACTERS = 262_144

/** What there is to look at. Times in milliseconds. */
export interface Evidence {
  readonly patterns: readonly Pattern[]
  readonly elapsedMs: number
  /** Since the last byte; `undefined` when there was none. */
  readonly silentMs: number | undefined
  readonly searched: Searched
  /** The start of the clean text, `undefined` when it is no longer kept. */
  readonly start: string | undefined
  readonly previousMatch: string | undefined
  /** Why the guest runs without hardware acceleration, if it does. */
  readonly emulatedBecause: string | undefined
  readonly guard: Guard
  /** What was typed last without Enter behind it. */
  readonly unfinished?: string | undefined
}

/** What a message says about it. */
export interface Diagnosis {
  /** What is likely wrong, and what to do: sentences; empty when nothing stands out. */
  readonly advice: string
  /** The output that came closest. */
  readonly closest: string | undefined
  /** Lines of `what: how`. */
  readonly circumstances: string
}

/** Silence shorter than this: the machine was still at work. */
const BUSY_MS = 1_000

export function diagnose(evidence: Evidence): Diagnosis {
  const { patterns, searched, guard, start, unfinished = '' } = evidence
  const typed = unfinished === '' ? undefined : noEnter(unfinished)
  const closest = patterns.map((pattern) => nearMiss(pattern, searched, guard)).find((miss) => miss !== undefined)
  // The echo of what waits for Enter comes close, and is not the output.
  const near = typed !== undefined && closest?.text?.includes(unfinished) === true ? undefined : closest
  const cause = knownCause(searched.clean)
  const advice = [
    typed,
    near?.hint,
    cause,
    typed === undefined && near === undefined && cause === undefined ? behaviour(evidence) : undefined,
  ]
  return {
    advice: advice.filter((sentence) => sentence !== undefined).join(' '),
    closest: near?.text?.slice(0, 500),
    circumstances: circumstances(evidence, start === undefined ? undefined : lastStage(start)),
  }
}

function noEnter(typed: string): string {
  return `What was sent last, ${JSON.stringify(typed)}, has no line end: a program that reads lines gets it only after Enter, \`\\n\`.`
}

function behaviour({ elapsedMs, silentMs = Infinity, emulatedBecause }: Evidence): string | undefined {
  if (silentMs >= elapsedMs) {
    return 'Nothing was printed since the wait began: the guest sleeps, waits for input, or what should print has ended.'
  }
  if (silentMs >= BUSY_MS) return undefined
  const slow = emulatedBecause === undefined ? '' : ' and is slow without hardware acceleration'
  return `The machine was still printing when the time was up${slow}: raise \`timeout\`, or \`timeoutMultiplier\` on slow hosts.`
}

function circumstances({ previousMatch, emulatedBecause }: Evidence, stage: string | undefined): string {
  const lines = []
  if (previousMatch !== undefined) lines.push(`previous match: ${JSON.stringify(previousMatch.slice(-200))}`)
  if (stage !== undefined) lines.push(`boot: seen up to ${stage}`)
  if (emulatedBecause !== undefined) lines.push(`speed: emulated without hardware acceleration (${emulatedBecause})`)
  return lines.join('\n')
}

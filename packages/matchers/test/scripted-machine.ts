/** A fake machine with a scripted result of `vm.expect`, for unit tests of matchers. */
import { type ErrorCode, ExpectError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import type { MatcherContext } from '../src/matcher-context.ts'
import type { MatcherVM } from '../src/matcher-vm.ts'
import { TIME_LEFT } from '../src/time-left.ts'

export const MATCH: Match = {
  text: 'login: ',
  before: 'Debian ',
  index: 0,
  pattern: 'login: ',
  groups: {},
  captures: [],
  dropped: 0,
}

/** The outcome of `vm.expect`. */
export type Script =
  | { readonly match: Match }
  | { readonly code: ErrorCode; readonly cause?: unknown }
  | { readonly other: Error }

/** The machine, and the calls of its `expect`. */
export function scriptedMachine(
  script: Script,
  { timeoutMultiplier = 1 }: { readonly timeoutMultiplier?: number } = {},
): { readonly vm: MatcherVM; readonly calls: [PatternInput, ExpectOptions | undefined][] } {
  const calls: [PatternInput, ExpectOptions | undefined][] = []
  const machine = {
    name: 'box',
    state: 'running',
    output: 'Debian GNU/Linux\n',
    timeout: 7_000 * timeoutMultiplier,
    spec: { timeoutMs: 7_000, timeoutMultiplier },
    logFile: '/logs/box',
    keptLog: '/logs/box',
    commandLine: ['qemu', '-name', 'box'],
    hasPrinted: () => ('match' in script ? script.match : undefined),
    expect: async (pattern: PatternInput, options?: ExpectOptions) => {
      calls.push([pattern, options])
      if ('match' in script) return script.match
      throw 'other' in script ? script.other : new ExpectError(script.code, 'It did not come', { cause: script.cause })
    },
  }
  return { vm: machine as unknown as MatcherVM, calls }
}

/** The `this` of a matcher. @param leftMs remaining time of the test */
export function contextOf({ isNot = false, leftMs }: { isNot?: boolean; leftMs?: number } = {}): MatcherContext {
  return {
    isNot,
    utils: {
      matcherHint: (matcher, received, expected, options) =>
        `${received}${options?.isNot ? '.not' : ''}.${matcher}(${expected})`,
      diff: (expected, received) => `${JSON.stringify(expected)} → ${JSON.stringify(received)}`,
    },
    task: leftMs === undefined ? undefined : { [TIME_LEFT]: () => leftMs },
  }
}

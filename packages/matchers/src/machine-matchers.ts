/** Table of all matchers for the `expect.extend` of a test runner. */
import { toMatchBootLog } from './boot-log/to-match-boot-log.ts'
import { toHaveFile } from './file/to-have-file.ts'
import type { MatcherContext, MatcherResult, SnapshotMatcher } from './matcher-context.ts'
import type { MachineMatchers } from './matcher-types.ts'
import { toMatchScreenshot } from './screenshot/to-match-screenshot.ts'
import { toBoot } from './to-boot.ts'
import { toEventuallyPrint } from './to-eventually-print.ts'
import { toExit } from './to-exit.ts'
import { toHavePrinted } from './to-have-printed.ts'
import { toPanic } from './to-panic.ts'
import { toPrintInOrder } from './to-print-in-order.ts'
import { toRun, toRunSuccessfully } from './to-run.ts'
import { toShowText } from './to-show-text.ts'

/** Features of a test runner. */
export interface Runner {
  /** Whether it prints the diff of a result's `expected` and `actual`. Vitest does, Jest does not. */
  readonly printsDiff: boolean
  /** Its matcher of this name, which writes and compares snapshots. */
  readonly toMatchSnapshot: SnapshotMatcher
}

/** A matcher for `expect.extend` of any runner. */
export type RegisteredMatcher = (
  this: MatcherContext,
  received: unknown,
  ...args: readonly unknown[]
) => MatcherResult | Promise<MatcherResult>

/** A matcher with its own parameter types. */
type Matcher = (this: MatcherContext, received: unknown, ...args: never[]) => MatcherResult | Promise<MatcherResult>

/** All matchers of this package, by name, for `expect.extend`. */
export function machineMatchers(runner: Runner): Record<keyof MachineMatchers, RegisteredMatcher> {
  const matchers = {
    toEventuallyPrint,
    toHavePrinted,
    toPrintInOrder,
    toBoot,
    toPanic,
    toExit,
    toRun,
    toRunSuccessfully,
    toHaveFile,
    toMatchBootLog,
    toMatchScreenshot,
    toShowText,
  } satisfies Record<keyof MachineMatchers, Matcher>
  const entries = Object.entries<Matcher>(matchers).map(([name, matcher]) => [name, inRunner(runner, matcher)])
  return Object.fromEntries(entries) as Record<keyof MachineMatchers, RegisteredMatcher>
}

function inRunner({ printsDiff, toMatchSnapshot }: Runner, matcher: Matcher): RegisteredMatcher {
  return function (received, ...args) {
    const context: MatcherContext = Object.create(this, {
      printsDiff: { value: printsDiff },
      toMatchSnapshot: { value: toMatchSnapshot },
    })
    return matcher.call(context, received, ...(args as never[]))
  }
}

/** The matchers as a table for a runner’s `expect.extend`, with what each runner has of its own. */

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

/** What a test runner has of its own. */
export interface Runner {
  /** Whether it shows the difference of a result’s `expected` and `actual` by itself: Vitest does, Jest does not. */
  readonly printsDiff: boolean
  /** Its matcher of that name, which keeps and compares snapshots. */
  readonly toMatchSnapshot: SnapshotMatcher
}

/** A matcher for `expect.extend` of any runner. */
export type RegisteredMatcher = (
  this: MatcherContext,
  received: unknown,
  ...args: readonly unknown[]
) => MatcherResult | Promise<MatcherResult>

/** A matcher with parameters of its own, which its types tell a caller. */
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

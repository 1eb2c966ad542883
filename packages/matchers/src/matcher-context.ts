/** The `this` of a matcher: the properties that Vitest and Jest have in common. */

/** `this` of a matcher. */
export interface MatcherContext {
  /** Whether `.not` was used. */
  readonly isNot?: boolean | undefined
  /** `resolves` or `rejects` if used. */
  readonly promise?: string | undefined
  readonly utils: {
    /** Formats the call, for example `expect(vm).not.toHavePrinted("panic")`. */
    matcherHint(matcher: string, received?: string, expected?: string, options?: MatcherHintOptions): string
    /** Formats the difference of two values. */
    diff?(expected: unknown, received: unknown): string | null | undefined
  }
  /** Whether the runner prints the diff of a result's `expected` and `actual`. @default true */
  readonly printsDiff?: boolean | undefined
  /** The runner's matcher of this name, which writes and compares snapshots. */
  readonly toMatchSnapshot?: SnapshotMatcher | undefined
  /** The running test, if the runner provides it. */
  readonly task?: object | undefined
  /** Path of the running test's file. */
  readonly testPath?: string | undefined
  /** Full name of the running test. */
  readonly currentTestName?: string | undefined
  /** The runner's snapshot counters. */
  readonly snapshotState?: object | undefined
}

/** The options of `matcherHint` that are used here. */
export interface MatcherHintOptions {
  isNot?: boolean
  promise?: string
}

/** The `toMatchSnapshot` of a test runner. */
export type SnapshotMatcher = (this: MatcherContext, received: string, hint?: string) => MatcherResult

/** The result of a matcher. With `.not` the runner inverts `pass`. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
  /** The value found instead of `expected`. The runner prints the diff of the two. */
  readonly actual?: unknown
  readonly expected?: unknown
}

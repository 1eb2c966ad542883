/** What a test runner gives a matcher, as far as both Vitest and Jest agree: the matchers know no runner. */

/** `this` of a matcher. */
export interface MatcherContext {
  /** Whether `.not` was used. */
  readonly isNot?: boolean | undefined
  /** `resolves` or `rejects` when that was used. */
  readonly promise?: string | undefined
  readonly utils: {
    /** Writes the call as the user wrote it: `expect(vm).not.toHavePrinted("panic")`. */
    matcherHint(matcher: string, received?: string, expected?: string, options?: MatcherHintOptions): string
    /** The difference of two values in lines, for people. */
    diff?(expected: unknown, received: unknown): string | null | undefined
  }
  /** Whether the runner itself shows the difference of a result’s `expected` and `actual`. @default true */
  readonly printsDiff?: boolean | undefined
  /** The runner’s own matcher of that name, which keeps and compares snapshots. */
  readonly toMatchSnapshot?: SnapshotMatcher | undefined
  /** The running test, where the runner tells. */
  readonly task?: object | undefined
  /** The running test’s file. */
  readonly testPath?: string | undefined
  /** The running test’s full name. */
  readonly currentTestName?: string | undefined
  /** The runner’s own account of its snapshots. */
  readonly snapshotState?: object | undefined
}

/** The options of `matcherHint` that are used here. */
export interface MatcherHintOptions {
  isNot?: boolean
  promise?: string
}

/** A runner’s `toMatchSnapshot`, for other matchers to build on. */
export type SnapshotMatcher = (this: MatcherContext, received: string, hint?: string) => MatcherResult

/** What a matcher returns. With `.not` the runner turns `pass` around. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
  /** Beside `expected`: what there was instead. The runner shows the difference of the two. */
  readonly actual?: unknown
  readonly expected?: unknown
}

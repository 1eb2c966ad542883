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
  }
  /** The running test, where the runner tells. */
  readonly task?: object | undefined
}

/** The options of `matcherHint` that are used here. */
export interface MatcherHintOptions {
  isNot?: boolean
  promise?: string
}

/** What a matcher returns. With `.not` the runner turns `pass` around. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

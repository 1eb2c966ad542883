/** Extends the types of Jest's `expect`, both of `@jest/globals` and of `@types/jest`. */
import type { MatchersOf } from '@coldboot/matchers'
import type {} from 'expect'

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends MatchersOf<T, R> {}
}

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: a merged interface repeats the parameters of the first.
    interface Matchers<R, T = {}> extends MatchersOf<T, R> {}
  }
}

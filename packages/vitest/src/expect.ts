/** Vitest's `expect` with the matchers for machines. */
import { machineMatchers } from '@coldboot/matchers'
import { type ExpectStatic, type MatcherState, Snapshots, expect as vitestExpect } from 'vitest'

vitestExpect.extend(
  machineMatchers({
    printsDiff: true,
    toMatchSnapshot(received, hint) {
      // It is Vitest's own state, with what ours adds.
      return Snapshots.toMatchSnapshot.call(this as unknown as MatcherState, received, hint)
    },
  }),
)

/** Vitest's `expect`, with the matchers for machines registered. */
export const expect: ExpectStatic = vitestExpect

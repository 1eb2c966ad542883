/** Registers the matchers with Vitest's `expect`. */
import { machineMatchers } from '@coldboot/matchers'
import { type ExpectStatic, type MatcherState, Snapshots, expect as vitestExpect } from 'vitest'

vitestExpect.extend(
  machineMatchers({
    printsDiff: true,
    toMatchSnapshot(received, hint) {
      // The context is Vitest's matcher state plus our properties.
      return Snapshots.toMatchSnapshot.call(this as unknown as MatcherState, received, hint)
    },
  }),
)

/** Vitest's `expect`, with the matchers for machines registered. */
export const expect: ExpectStatic = vitestExpect

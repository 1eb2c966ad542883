/** Vitest’s `expect` with the matchers for machines. */
import { machineMatchers } from '@coldboot/matchers'
import { type ExpectStatic, expect as vitestExpect } from 'vitest'

vitestExpect.extend(machineMatchers({ printsDiff: true }))

/** Vitest’s `expect`, with the matchers for machines registered. */
export const expect: ExpectStatic = vitestExpect

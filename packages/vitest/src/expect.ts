/** Vitest’s `expect` with the matchers for machines. */
import { toEventuallyPrint, toHavePrinted } from '@coldboot/matchers'
import { type ExpectStatic, expect as vitestExpect } from 'vitest'

vitestExpect.extend({ toEventuallyPrint, toHavePrinted })

/** Vitest’s `expect`, with the matchers for machines registered. */
export const expect: ExpectStatic = vitestExpect

/** Tests that ran inside a guest, as sub-results of the test that ran them: in its annotations and its meta. */

import type { GuestTestRecord } from '@coldboot/report'
import type { GuestTestNotice } from '@coldboot/runner'
import type { RunnerTestCase, TestContext } from 'vitest'

/** Failed ones that are annotated of a run; the meta has all. */
const SHOWN = 10

/** Types of the annotations. */
const RUN = 'guest tests'
const FAILURE = 'failed in the guest'

/** Annotates the test of a context. Reporters show it: the default one with a test that failed. */
export function annotator({ annotate }: Pick<TestContext, 'annotate'>): (notice: GuestTestNotice) => void {
  // The test may be over, of which its own errors tell.
  const note = (message: string, type: string): void => void annotate(message, type).catch(() => {})
  return ({ summary, failures }) => {
    note(summary, RUN)
    for (const { path, message, log = message } of failures.slice(0, SHOWN)) {
      note([path.join(' > '), ...(log?.split('\n') ?? [])].join('\n      '), FAILURE)
    }
    if (failures.length > SHOWN) note(`… and ${failures.length - SHOWN} more`, FAILURE)
  }
}

/** Leaves the tests of an attempt for reporters. */
export function recordGuestTests(task: RunnerTestCase, tests: readonly GuestTestRecord[]): void {
  if (tests.length === 0) return
  const { machines = [], guestTests = [] } = task.meta.coldboot ?? {}
  task.meta.coldboot = { machines, guestTests: [...guestTests, ...tests] }
}

/** Reports tests inside a guest as annotations and metadata of the test that ran them. */

import type { GuestTestRecord } from '@coldboot/report'
import type { GuestTestNotice } from '@coldboot/runner'
import type { RunnerTestCase, TestContext } from 'vitest'

/** Maximum number of annotated failures. The metadata contains all. */
const SHOWN = 10

/** Types of the annotations. */
const RUN = 'guest tests'
const FAILURE = 'failed in the guest'

/** Creates a function that annotates the test. The default reporter shows annotations of failed tests. */
export function annotator({ annotate }: Pick<TestContext, 'annotate'>): (notice: GuestTestNotice) => void {
  // Annotations fail after the end of the test, which has its own errors then.
  const note = (message: string, type: string): void => void annotate(message, type).catch(() => {})
  return ({ summary, failures }) => {
    note(summary, RUN)
    for (const { path, message, log = message } of failures.slice(0, SHOWN)) {
      note([path.join(' > '), ...(log?.split('\n') ?? [])].join('\n      '), FAILURE)
    }
    if (failures.length > SHOWN) note(`… and ${failures.length - SHOWN} more`, FAILURE)
  }
}

/** Stores the tests inside the guests of an attempt for reporters. */
export function recordGuestTests(task: RunnerTestCase, tests: readonly GuestTestRecord[]): void {
  if (tests.length === 0) return
  const { machines = [], guestTests = [] } = task.meta.coldboot ?? {}
  task.meta.coldboot = { machines, guestTests: [...guestTests, ...tests] }
}

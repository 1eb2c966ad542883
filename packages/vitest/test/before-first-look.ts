/** A hook for a run of a project that several tests look at. */
import { beforeEach } from 'vitest'

/**
 * Calls `hook` before the first test, as `beforeAll` does, and anew before a test that is tried again: what a run shows can
 * depend on how busy the host was.
 */
export function beforeFirstLook(hook: () => Promise<void>): void {
  let isDone = false
  beforeEach(async ({ task }) => {
    if (isDone && !task.result?.retryCount) return
    isDone = true
    await hook()
  })
}

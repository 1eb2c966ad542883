/** Hook for a run of a project whose result several tests check. */
import { beforeEach } from 'vitest'

/**
 * Calls `hook` before the first test like `beforeAll`, and again before a retry, because the output of a run may depend on
 * the load of the host.
 */
export function beforeFirstLook(hook: () => Promise<void>, timeout?: number): void {
  let isDone = false
  beforeEach(async ({ task }) => {
    if (isDone && !task.result?.retryCount) return
    isDone = true
    await hook()
  }, timeout)
}

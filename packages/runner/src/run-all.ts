/** Runs all steps of a cleanup, also after one of them has failed. */

/**
 * Runs the steps one after the other.
 * @throws the first error of a step, after the last step
 */
export async function runAll(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/**
 * Waits for all promises. `Promise.all` rejects while the others are still pending.
 * @throws the reason of the first rejected promise
 */
export async function settleAll<Value>(promises: Iterable<Value | PromiseLike<Value>>): Promise<readonly Value[]> {
  const results = await Promise.allSettled(promises)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

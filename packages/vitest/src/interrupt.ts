/**
 * Ends a run in order on Ctrl-C and SIGTERM. `vitest run` by itself stops at once, with no teardown; machines would not
 * survive that, but their logs and reports would be lost.
 */
import { constants } from 'node:os'
import type { Vitest } from 'vitest/node'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const guarded = new WeakSet<Vitest>()

/** The first signal cancels the run and waits for the teardown, the second exits at once. Once for each Vitest. */
export function endInOrder(vitest: Vitest): void {
  // In watch mode Ctrl-C is a key like any other, which Vitest handles.
  if (guarded.has(vitest) || vitest.config.watch) return
  guarded.add(vitest)
  let interrupted = false
  const onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = 128 + constants.signals[signal]
    if (interrupted) process.exit(exitCode)
    interrupted = true
    vitest.logger.log(`\n${signal}: ending the machines, then the run. Once more to exit at once.`)
    void cancel(vitest, exitCode)
  }
  for (const signal of SIGNALS) {
    // Vitest's own listener exits within a millisecond.
    const others = process.rawListeners(signal)
    process.removeAllListeners(signal)
    process.on(signal, onSignal)
    vitest.onClose(() => {
      if (interrupted) return
      process.off(signal, onSignal)
      for (const listener of others) process.on(signal, listener as NodeJS.SignalsListener)
    })
  }
}

async function cancel(vitest: Vitest, exitCode: number): Promise<void> {
  try {
    await vitest.cancelCurrentRun('keyboard-input')
  } finally {
    process.exitCode = exitCode
    await vitest.exit(true)
  }
}

/**
 * Runs the teardown of a run on Ctrl-C and SIGTERM. Without it, `vitest run` would stop immediately and lose the files and
 * reports of its machines.
 */
import { constants } from 'node:os'
import type { Vitest } from 'vitest/node'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const guarded = new WeakSet<Vitest>()

/** Handles signals, once per Vitest: the first cancels the run and waits for the teardown, the second exits at once. */
export function endInOrder(vitest: Vitest): void {
  // In watch mode, Vitest handles Ctrl-C as a key.
  if (guarded.has(vitest) || vitest.config.watch) return
  guarded.add(vitest)
  let interrupted = false
  const onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = 128 + constants.signals[signal]
    if (interrupted) process.exit(exitCode)
    interrupted = true
    vitest.logger.log(`\n${signal}: ending the machines, then the run. Repeat to exit at once.`)
    void cancel(vitest, exitCode)
  }
  for (const signal of SIGNALS) {
    // Removes Vitest's listener, which exits within a millisecond.
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

/**
 * Ends machines and completes their files on Ctrl-C and SIGTERM, because Jest and its workers exit immediately.
 */
import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'

/** Tests to interrupt. */
export interface Interruptible {
  interrupt(): Promise<void>
}

type Listener = (signal: NodeJS.Signals) => void

/** How long the tests wait for other listeners to end the process, milliseconds. Signals reach listeners asynchronously. */
const OTHERS_MS = 2_000

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const running = new Set<Interruptible>()
/** Signal → other listeners, which are called after the end of the machines. */
const others = new Map<NodeJS.Signals, readonly Listener[]>()
let ending: Promise<void> | undefined

/** After a signal: resolves when all machines have ended. Tests wait for it. */
export function interruption(): Promise<void> | undefined {
  return ending
}

/** Interrupts the tests on the first signal, and exits on the second. Dispose the result to stop listening. */
export function endInOrder(tests: Interruptible): Disposable {
  if (running.size === 0) listen()
  running.add(tests)
  return {
    [Symbol.dispose]: () => {
      running.delete(tests)
      if (running.size === 0 && !ending) stopListening()
    },
  }
}

/**
 * Ends a worker whose parent was killed. Otherwise it would continue its tests and then wait forever. Also lets a worker remove
 * the files of its pooled machines when Jest ends it with SIGTERM, 500 ms after its last test.
 */
export function endWithParent(): void {
  if (!process.connected || process.listenerCount('disconnect', onDisconnect) > 0) return
  process.on('disconnect', onDisconnect)
  // Without a listener, the signal would end the process without running its `exit` handlers.
  process.on('SIGTERM', exitOnSignal)
}

function exitOnSignal(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal])
}

function onDisconnect(): void {
  // On Ctrl-C the parent exits before the machines have ended.
  ending ??= interruptAll()
  void ending.finally(() => process.exit(1))
}

async function interruptAll(): Promise<void> {
  await Promise.allSettled([...running].map((tests) => tests.interrupt()))
}

function onSignal(signal: NodeJS.Signals): void {
  if (ending) return passOn(signal)
  ending = interruptAll().then(async () => {
    passOn(signal)
    await setTimeout(OTHERS_MS)
  })
}

/** Passes the signal to the other listeners. Without any, the signal ends the process, and the parent sees it as the reason. */
function passOn(signal: NodeJS.Signals): void {
  stopListening()
  process.kill(process.pid, signal)
}

function listen(): void {
  for (const signal of SIGNALS) {
    // Removes other listeners, because those of some libraries end the process at once.
    others.set(signal, process.rawListeners(signal) as Listener[])
    process.removeAllListeners(signal)
    process.on(signal, onSignal)
  }
}

function stopListening(): void {
  for (const signal of SIGNALS) {
    process.off(signal, onSignal)
    for (const listener of others.get(signal) ?? []) process.on(signal, listener)
    others.delete(signal)
  }
}

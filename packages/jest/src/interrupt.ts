/**
 * Ends machines in order on Ctrl-C and SIGTERM. By itself Jest and its workers die at once; the machines do with them, but
 * what was written down of them would not be complete.
 */
import { setTimeout } from 'node:timers/promises'

/** What is ended. */
export interface Interruptible {
  interrupt(): Promise<void>
}

type Listener = (signal: NodeJS.Signals) => void

/** How long the tests wait for others to end the process, milliseconds: signals are told to listeners a little later. */
const OTHERS_MS = 2_000

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const running = new Set<Interruptible>()
/** Who else listens, by signal: their turn comes when the machines have ended. */
const others = new Map<NodeJS.Signals, readonly Listener[]>()
let ending: Promise<void> | undefined

/** The end of all machines, and then of this process, once a signal has come; the tests wait for it. */
export function interruption(): Promise<void> | undefined {
  return ending
}

/** Ends it on the first signal; the second one does not wait for that. Until the returned object is disposed. */
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

/** Ends a worker whose Jest was killed: by itself it would go on with its tests, and then wait for ever. */
export function endWithParent(): void {
  if (process.connected && process.listenerCount('disconnect', onDisconnect) === 0) {
    process.on('disconnect', onDisconnect)
  }
}

function onDisconnect(): void {
  // On Ctrl-C the parent is gone before the machines have ended in order.
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

/** Whoever else listens gets it; if nobody does, the process dies of it, so that who waits for it can tell. */
function passOn(signal: NodeJS.Signals): void {
  stopListening()
  process.kill(process.pid, signal)
}

function listen(): void {
  for (const signal of SIGNALS) {
    // Libraries that clean up after themselves end the process at once.
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

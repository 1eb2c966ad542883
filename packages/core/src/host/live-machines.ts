/**
 * The one registry of machines that run in this process. It exists for the process's own exit (an uncaught error, or
 * `process.exit()` in a test): what is registered is ended and removed then, synchronously. Signals need nothing here:
 * the guard beside each QEMU ends it, and the next start removes the files.
 */
import { rmSync } from 'node:fs'

/** What must not outlive this process. */
export interface LiveMachine {
  readonly name: string
  /** The private directory. */
  readonly directory: string
  /** Ends QEMU at once. */
  kill(): void
}

const live = new Set<LiveMachine>()
let hooked = false

/** Registers a machine until the returned object is disposed. */
export function registerMachine(machine: LiveMachine): Disposable {
  live.add(machine)
  if (!hooked) {
    hooked = true
    process.once('exit', endLiveMachines)
  }
  return { [Symbol.dispose]: () => live.delete(machine) }
}

/** Names of the machines that run in this process, oldest first. */
export function liveMachines(): readonly string[] {
  return [...live].map((machine) => machine.name)
}

/** Ends every registered machine at once, removes its files and empties the registry. */
export function endLiveMachines(): void {
  for (const machine of live) {
    machine.kill()
    rmSync(machine.directory, { recursive: true, force: true })
  }
  live.clear()
}

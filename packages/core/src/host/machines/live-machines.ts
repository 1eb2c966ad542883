/**
 * Registry of the machines of this process. At the exit of the process (an uncaught error, or `process.exit()` in a
 * test), they are killed and their files removed, synchronously. A signal is not handled here: the guard of each QEMU
 * ends it, and the next start removes the files.
 */
import { rmSync } from 'node:fs'

/** A machine that must not outlive this process. */
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

/** Names of the machines of this process, oldest first. */
export function liveMachines(): readonly string[] {
  return [...live].map((machine) => machine.name)
}

/** Kills every registered machine, removes its files and empties the registry. */
export function endLiveMachines(): void {
  for (const machine of live) {
    machine.kill()
    rmSync(machine.directory, { recursive: true, force: true })
  }
  live.clear()
}

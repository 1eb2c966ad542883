/**
 * Registry of the machines of this process. At the exit of the process (after an uncaught error, or `process.exit()` in
 * a test), the machines are killed and their files are removed, synchronously. After a signal, the guard of each QEMU
 * ends it, and the next start of a machine removes the files.
 */
import { rmSync } from 'node:fs'

/** A machine that must not outlive this process. */
export interface LiveMachine {
  readonly name: string
  /** Private directory of the machine. */
  readonly directory: string
  /** Kills QEMU. */
  kill(): void
}

const live = new Set<LiveMachine>()
const afterLast = new Set<() => void>()
let hooked = false

/** Registers a machine until the returned object is disposed. */
export function registerMachine(machine: LiveMachine): Disposable {
  live.add(machine)
  if (!hooked) {
    hooked = true
    process.once('exit', endLiveMachines)
  }
  return {
    [Symbol.dispose]() {
      if (live.delete(machine) && live.size === 0) for (const job of afterLast) job()
    },
  }
}

/** Calls `job` whenever the last machine of this process has ended, and at the exit of the process. It must not throw. */
export function afterLastMachine(job: () => void): void {
  afterLast.add(job)
}

/** Names of the machines of this process, oldest first. */
export function liveMachines(): readonly string[] {
  return [...live].map((machine) => machine.name)
}

/**
 * Kills every registered machine, removes its files and empties the registry.
 * @throws the first error, after all machines
 */
export function endLiveMachines(): void {
  const machines = [...live]
  live.clear()
  const steps = [
    // All are killed first, because removing files may take long.
    ...machines.map((machine) => () => machine.kill()),
    ...machines.map(
      ({ directory }) =>
        () =>
          rmSync(directory, { recursive: true, force: true }),
    ),
    ...afterLast,
  ]
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

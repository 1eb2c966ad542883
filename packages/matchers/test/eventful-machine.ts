/** A fake machine whose end and failures are triggered by the test. */
import type { CommandResult, ExitStatus, Incident } from '@coldboot/core'
import type { MatcherVM } from '../src/matcher-vm.ts'

export const POWERED_OFF: ExitStatus = { reason: 'guest-shutdown', exitCode: 0, signal: undefined, stderr: '' }

export const PANIC: Incident = {
  failure: 'panic',
  code: 'GUEST_PANICKED',
  message: 'Kernel panic - not syncing: no init',
  excerpt: 'Kernel panic - not syncing: no init\nCall Trace:',
  allowed: false,
}

/** A panic after which the kernel halts. */
export const STUCK: Incident = {
  ...PANIC,
  excerpt: `${PANIC.excerpt}\n---[ end Kernel panic - not syncing: no init ]---`,
}

export const OOPS: Incident = {
  ...PANIC,
  failure: 'oops',
  code: 'GUEST_OOPSED',
  message: 'Oops: 0000',
  excerpt: 'Oops: 0000',
}

/** The machine and its triggers. */
export interface EventfulMachine {
  readonly vm: MatcherVM
  readonly abort: (reason: unknown) => void
  readonly meets: (incident: Incident) => void
  readonly ends: (status?: ExitStatus) => void
}

/** @param result the result or error of its commands */
export function eventfulMachine(result?: Partial<CommandResult> | Error): EventfulMachine {
  const end = Promise.withResolvers<ExitStatus>()
  const listeners = new Set<(incident: Incident) => void>()
  const incidents: Incident[] = []
  const abort = new AbortController()
  const machine = {
    name: 'box',
    state: 'running',
    output: 'Debian GNU/Linux\n',
    timeout: 7_000,
    spec: { timeoutMs: 7_000, bootTimeoutMs: 60_000, timeoutMultiplier: 1, signal: abort.signal },
    logFile: '/logs/box',
    keptLog: '/logs/box',
    commandLine: ['qemu', '-name', 'box'],
    ended: end.promise,
    incidents,
    onIncident: (listener: (incident: Incident) => void) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => listeners.delete(listener) }
    },
    expect: () => new Promise(() => {}),
    hasPrinted: () => undefined,
    run: async (words: string | readonly string[]) => {
      if (result instanceof Error) throw result
      const command = [words].flat().join(' ')
      return { command, exitCode: 0, stdout: '', stderr: '', duration: 1, via: 'shell', ...result }
    },
  }
  return {
    vm: machine as unknown as MatcherVM,
    abort: (reason) => abort.abort(reason),
    meets: (incident) => {
      incidents.push(incident)
      for (const listener of listeners) listener(incident)
    },
    ends: (status = POWERED_OFF) => {
      machine.state = 'exited'
      end.resolve(status)
    },
  }
}

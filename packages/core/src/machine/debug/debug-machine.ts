/** Connects the console of a running machine to the terminal, for `vm.debug`. */
import type { RunningMachine } from '../running-machine.ts'
import { type DebugOptions, debugSession } from './debug-session.ts'

/** Runs the session. With `gdb`, the guest is stopped during it. */
export async function debugMachine(running: RunningMachine, options: DebugOptions): Promise<void> {
  const { name, signal, aroundDebug } = running.spec
  const { console, ended, isPaused } = running
  const stop = async (): Promise<string> => {
    const { command } = await running.serveDebugger()
    await running.machine.qmp.execute('stop')
    return command
  }
  await aroundDebug(() => debugSession({ name, console, ended, stop }, { signal, ...options }))
  if (options.gdb === true && !isPaused && running.state === 'running') await running.machine.qmp.execute('cont')
}

/** A machine started from a template: QEMU with the saved state loaded and the guest stopped, to be resumed by its holder. */
import { ColdbootError, MachineError } from '../errors.ts'
import { GuestCommandError } from '../guest/guest-command-error.ts'
import { discard, type Launched, launch, type RestorePlan } from '../machine/launch.ts'
import { RunningMachine } from '../machine/running-machine.ts'
import { VM } from '../machine/vm.ts'
import { incomingState } from '../qemu/migration.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { attachScript } from './restore-attachment.ts'
import { type StoredTemplate, withState } from './store/template-store.ts'

/** A machine to start from a save. */
export interface Restoration {
  readonly spec: MachineSpec
  readonly stored: StoredTemplate
  /** Positions of the devices whose content is not the saved machine's. */
  readonly changed: readonly number[]
}

/**
 * @throws StartError `START_FAILED`, MachineError `QMP_FAILED` when the state cannot be loaded
 */
export async function launchFrom({ spec, stored, changed }: Restoration): Promise<Launched> {
  return withState(stored, async (stateFd) => {
    const restore: RestorePlan = { stateFd, filesDirectory: stored.filesDirectory, changed }
    const launched = await launch(spec, { memory: { path: stored.memoryFile, shared: false }, restore })
    try {
      // The commands of both are sent at once; what fails first has the reason.
      const { uri } = incomingState(launched.qemuVersion)
      await Promise.all([launched.machine.connect(), launched.machine.restore(uri)])
      return launched
    } catch (error) {
      await discard(launched)
      throw error
    }
  })
}

/**
 * Gives a restored machine to its holder: console and devices attached, what was printed before recalled, running.
 *
 * @throws MachineError `ATTACH_FAILED` when the guest cannot have a device that is attached after the restore
 */
export async function resume({ spec, stored, changed }: Restoration, launched: Launched): Promise<VM> {
  const running = await RunningMachine.adopt(spec, launched, stored.console)
  const vm = new VM(running, spec.ready === undefined ? undefined : running.console.hasPrinted(spec.ready))
  try {
    await running.attach(vm)
    await running.machine.qmp.execute('cont')
    await vm.resync()
    await runAgentScript(vm, attachScript(spec, changed))
    return vm
  } catch (error) {
    await vm.close()
    throw error
  }
}

/** Attaching takes some ten milliseconds, on a busy host more. Milliseconds, before the multiplier. */
const ATTACH_MS = 20_000

/**
 * Has the agent of the guest run a script, unless it is empty.
 * @throws MachineError `ATTACH_FAILED` with what it printed
 */
export async function runAgentScript(vm: VM, script: string): Promise<void> {
  if (script === '') return
  try {
    await vm.run(script, { via: 'agent', timeout: ATTACH_MS })
  } catch (cause) {
    if (!ColdbootError.is(cause) || !(cause instanceof GuestCommandError)) throw cause
    const printed = cause.stderr.toString().trim() || cause.shortMessage
    throw new MachineError('ATTACH_FAILED', `Machine "${vm.name}" cannot attach a device: ${printed}`, { cause })
  }
}

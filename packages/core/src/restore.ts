/** A machine started from a template: QEMU with the saved state loaded and the guest stopped, to be resumed by its holder. */
import { discard, type Launched, launch, type RestorePlan } from './launch.ts'
import type { MachineSpec } from './machine-spec.ts'
import { RunningMachine } from './running-machine.ts'
import { type StoredTemplate, withState } from './template/template-store.ts'
import { VM } from './vm.ts'

/**
 * @throws StartError `START_FAILED`, MachineError `QMP_FAILED` when the state cannot be loaded
 */
export async function launchFrom(spec: MachineSpec, stored: StoredTemplate): Promise<Launched> {
  return withState(stored, async (stateFd) => {
    const restore: RestorePlan = { stateFd, filesDirectory: stored.filesDirectory }
    const launched = await launch(spec, { memory: { path: stored.memoryFile, shared: false }, restore })
    try {
      // The commands of both are sent at once; what fails first has the reason.
      await Promise.all([launched.machine.connect(), launched.machine.restore()])
      return launched
    } catch (error) {
      await discard(launched)
      throw error
    }
  })
}

/** Gives a restored machine to its holder: console and devices attached, what was printed before recalled, running. */
export async function resume(spec: MachineSpec, launched: Launched, stored: StoredTemplate): Promise<VM> {
  const running = await RunningMachine.adopt(spec, launched, stored.console)
  const vm = new VM(running, spec.ready === undefined ? undefined : running.console.hasPrinted(spec.ready))
  try {
    await running.attach(vm)
    await running.machine.qmp.execute('cont')
    await vm.renew()
    return vm
  } catch (error) {
    await vm.close()
    throw error
  }
}

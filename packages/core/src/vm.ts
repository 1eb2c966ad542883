/**
 * Functions that start a VM. The modules that run a machine are loaded when a function is called, because many test
 * files start no machine.
 */
import type { ResumeOptions } from './machine/save/load-machine.ts'
import type { VM as RunningVM } from './machine/vm.ts'
import { isVM } from './machine/vm-brand.ts'
import type { MachineOptions } from './spec/machine-options.ts'
import type { RunnerOptions } from './template/start-ready.ts'
import type { VMOptions } from './template/vm-options.ts'

/** A running virtual machine. `await using vm = await VM.start(options)` ends it with the block. */
export type VM = RunningVM

/** Methods that start a {@link VM}. */
export interface VMStarts {
  /**
   * Starts a machine and waits until it is ready: its `ready` pattern was printed and `prepare` has run. The first
   * start boots the machine and saves a template. Later starts, even in other processes, restore the template in a
   * tenth of a second. A machine that cannot be saved boots each time, and so does one without `ready`: `prepare` then
   * runs as soon as QEMU answers. While other machines use up `maxMachines` or `memoryBudget`, the start waits.
   *
   * @throws OptionError before QEMU is spawned
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`; `START_FAILED` with QEMU's message
   * @throws ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`; GuestError `GUEST_*` when the guest fails
   * @throws TemplateError `TEMPLATE_UNSAVABLE`, StartError `CACHE_UNUSABLE` when `template` is `'required'`
   */
  start(options: VMOptions): Promise<VM>
  /**
   * Boots a machine and returns it at once, without waiting for the guest, for tests of the boot itself. `vm.ready()`
   * waits for the `ready` pattern.
   *
   * @throws OptionError before QEMU is spawned
   * @throws StartError as {@link start}
   * @throws ExpectError `EXPECT_ABORTED` when `signal` aborts before QEMU answers
   */
  boot(options: MachineOptions): Promise<VM>
  /**
   * Resumes a machine from a machine file, in the state in which `vm.save` or a failed test saved it. The agent
   * of the guest, if any, sets the clock, and the agent of `@coldboot/guest` also adds entropy. With `gdb`, the
   * guest stays stopped instead. The file may come from another host. Shared directories are empty and networks are
   * disconnected, unless the options provide them.
   *
   * @throws OptionError `FILE_MISSING`, `MACHINE_FILE_INVALID`, `MACHINE_FILE_MISFIT` with the requirements of the file
   * @throws StartError as {@link start}; MachineError `QMP_FAILED` when QEMU cannot load the state,
   * `ATTACH_FAILED` when a device cannot be attached in the guest
   */
  resume(file: string, options?: ResumeOptions): Promise<VM>
}

/** Loads `template/start-ready.ts` and calls its `startReady`. */
export async function startReady(options: VMOptions, runnerOptions?: RunnerOptions): Promise<VM> {
  const { startReady } = await import('./template/start-ready.ts')
  return startReady(options, runnerOptions)
}

/** Starts machines: {@link VMStarts.start}, {@link VMStarts.boot}, {@link VMStarts.resume}. */
export const VM: VMStarts & { [Symbol.hasInstance](value: unknown): value is RunningVM } = Object.freeze({
  start: (options: VMOptions) => startReady(options),
  boot: async (options: MachineOptions) => (await import('./machine/vm.ts')).VM.boot(options),
  async resume(file: string, options: ResumeOptions = {}) {
    const [{ loadMachine }, { VM: RunningVM }] = await Promise.all([
      import('./machine/save/load-machine.ts'),
      import('./machine/vm.ts'),
    ])
    return RunningVM.restored({ ...(await loadMachine(file, options)), gdb: options.gdb ?? false })
  },
  [Symbol.hasInstance]: (value: unknown): value is RunningVM => isVM(value),
})

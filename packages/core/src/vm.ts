/** The ways to start a VM. `machine/` does not know templates, so the class there cannot offer them itself. */
import { loadMachine, type ResumeOptions } from './machine/save/load-machine.ts'
import { VM as RunningVM } from './machine/vm.ts'
import type { MachineOptions } from './spec/machine-options.ts'
import { startReady, type VMOptions } from './template/start-ready.ts'

/** A running virtual machine. `await using vm = await VM.start(options)` ends it with the block. */
export type VM = RunningVM

/** The ways to get a {@link VM}. */
export interface VMStarts {
  /**
   * Starts a machine and waits until it is ready: its `ready` pattern was printed and `prepare` has run. The first start
   * boots and saves a template; later ones, also of other processes, start from it in a tenth of a second. A machine that
   * cannot be saved boots each time. Without `ready`, the machine is handed over as soon as QEMU runs.
   *
   * @throws OptionError before anything is spawned
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`; `START_FAILED` with QEMU's message
   * @throws ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`; GuestError `GUEST_*` when the guest fails
   * @throws TemplateError `TEMPLATE_UNSAVABLE` when `template` is `'required'`
   */
  start(options: VMOptions): Promise<VM>
  /**
   * Boots a machine and hands it over at once, without waiting for the guest: for tests of the boot itself. `vm.ready()`
   * waits for the `ready` pattern.
   *
   * @throws OptionError before anything is spawned
   * @throws StartError as {@link start}
   * @throws ExpectError `EXPECT_ABORTED` when `signal` aborts before QEMU answers
   */
  boot(options: MachineOptions): Promise<VM>
  /**
   * Goes on from a machine file: the machine as it was when `vm.save` or a failed test saved it, with its console, its
   * clock and randomness renewed. The file may come from another host. What it could reach there it does not reach here:
   * shared directories are empty ones and networks lead nowhere, unless the options say otherwise.
   *
   * @throws OptionError `FILE_MISSING`, `MACHINE_FILE_INVALID`, `MACHINE_FILE_MISFIT` with what is needed
   * @throws StartError as {@link start}; MachineError `QMP_FAILED` when QEMU does not take the machine's state
   */
  resume(file: string, options?: ResumeOptions): Promise<VM>
}

/** Starts machines: {@link VMStarts.start}, {@link VMStarts.boot}, {@link VMStarts.resume}. */
export const VM: VMStarts & { [Symbol.hasInstance](value: unknown): value is RunningVM } = Object.freeze({
  start: (options: VMOptions) => startReady(options),
  boot: (options: MachineOptions) => RunningVM.boot(options),
  async resume(file: string, options: ResumeOptions = {}) {
    return RunningVM.restored({ ...(await loadMachine(file, options)), gdb: options.gdb ?? false })
  },
  [Symbol.hasInstance]: (value: unknown): value is RunningVM => value instanceof RunningVM,
})

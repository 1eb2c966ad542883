/** Buttons of a machine, and its CPUs. */
import { MachineError } from '../../errors.ts'
import type { PowerAction } from '../../events/machine-event.ts'
import type { RunningMachine } from '../running-machine.ts'

/** QMP commands of the actions that keep QEMU. */
const COMMANDS = { button: 'system_powerdown', pause: 'stop', unpause: 'cont', nmi: 'inject-nmi' } as const

/**
 * Performs an action that QEMU has a command for.
 * @throws MachineError `MACHINE_EXITED`; `QMP_FAILED` when the machine does not support it
 */
export async function perform(running: RunningMachine, action: keyof typeof COMMANDS): Promise<void> {
  requirePower(running)
  await running.machine.qmp.execute(COMMANDS[action])
  if (action === 'pause' || action === 'unpause') running.isPaused = action === 'pause'
  emit(running, action)
}

/** Resets the machine, as by its reset button. Resolves when its firmware starts. @throws as {@link perform} */
export async function reset(running: RunningMachine): Promise<void> {
  requirePower(running)
  const { qmp } = running.machine
  const { promise: done, resolve } = Promise.withResolvers<void>()
  using _listener = qmp.onEvent(({ event }) => {
    if (event === 'RESET') resolve()
  })
  // Without `allowReboot`, QEMU would end. The option is only about reboots by the guest.
  await qmp.execute('set-action', { reboot: 'reset' })
  if (!running.spec.allowReboot) forbidRebootsLater(running)
  await qmp.execute('system_reset')
  // A paused machine is reset when it continues.
  if (!running.isPaused) await Promise.race([done, running.ended])
  emit(running, 'reset')
}

/** SeaBIOS resets the machine once more before it prints. After that, or after any output, a reset is a reboot by the guest. */
function forbidRebootsLater({ machine: { qmp }, console }: RunningMachine): void {
  let isReset = false
  const watches = [
    qmp.onEvent(({ event, data }) => {
      if (event !== 'RESET') return
      if (isReset && data['guest'] === true) forbid()
      isReset = true
    }),
    console.watch(() => {
      if (isReset) forbid()
      return 0
    }),
  ]
  const forbid = (): void => {
    for (const watch of watches) watch[Symbol.dispose]()
    qmp.execute('set-action', { reboot: 'shutdown' }).catch(() => {})
  }
}

/** @throws MachineError `MACHINE_EXITED` when it has ended or its power was cut */
export function requirePower({ state, isReplaced, spec }: RunningMachine): void {
  if (state !== 'exited') return
  const off = isReplaced ? { hint: 'Call `powerOn()` first.' } : {}
  throw new MachineError('MACHINE_EXITED', `Machine "${spec.name}" ${isReplaced ? 'is powered off' : 'has ended'}`, off)
}

/** Passes the action to the observer. */
export function emit({ onEvent }: RunningMachine, action: PowerAction): void {
  onEvent?.({ kind: 'power', action })
}

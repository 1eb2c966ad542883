/** Power actions that keep the QEMU process: power button, reset, pause, interrupt. */
import { MachineError } from '../../errors.ts'
import type { PowerAction } from '../../events/machine-event.ts'
import type { RunningMachine } from '../running-machine.ts'

/** Actions that are a single QMP command. */
const COMMANDS = { button: 'system_powerdown', pause: 'stop', unpause: 'cont', nmi: 'inject-nmi' } as const

/**
 * Performs an action that is a single QMP command.
 * @throws MachineError `MACHINE_EXITED`; `QMP_FAILED` when the machine does not support it
 */
export async function perform(running: RunningMachine, action: keyof typeof COMMANDS): Promise<void> {
  requirePower(running)
  await running.turns.run(async () => {
    await running.machine.qmp.execute(COMMANDS[action])
    if (action === 'pause' || action === 'unpause') running.isPaused = action === 'pause'
  })
  emit(running, action)
}

/** Presses the reset button. Resolves when the firmware starts. @throws as {@link perform} */
export async function reset(running: RunningMachine): Promise<void> {
  requirePower(running)
  await running.turns.run(() => resetNow(running))
  emit(running, 'reset')
}

async function resetNow(running: RunningMachine): Promise<void> {
  const { qmp } = running.machine
  const { promise: done, resolve } = Promise.withResolvers<void>()
  using _listener = qmp.onEvent(({ event }) => {
    if (event === 'RESET') resolve()
  })
  // Without `allowReboot`, QEMU would end at the reset, but the option only concerns reboots by the guest.
  await qmp.execute('set-action', { reboot: 'reset' })
  if (!running.spec.allowReboot) forbidRebootsLater(running)
  await qmp.execute('system_reset')
  // A paused machine is reset only when it continues.
  if (!running.isPaused) await Promise.race([done, running.ended])
}

/**
 * Forbids reboots by the guest again, but not too early: SeaBIOS itself resets the machine once more before it prints.
 * After that second reset, or after any output, further resets are reboots by the guest.
 */
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

/** Requires a running machine. @throws MachineError `MACHINE_EXITED` when it has ended or its power was cut */
export function requirePower({ state, isReplaced, spec }: RunningMachine): void {
  if (state !== 'exited') return
  const off = isReplaced ? { hint: 'Call `powerOn()` first.' } : {}
  throw new MachineError('MACHINE_EXITED', `Machine "${spec.name}" ${isReplaced ? 'is powered off' : 'has ended'}`, off)
}

/** Passes the action to the observer. */
export function emit({ onEvent }: RunningMachine, action: PowerAction): void {
  onEvent?.({ kind: 'power', action })
}

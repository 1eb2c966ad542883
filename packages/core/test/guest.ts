/** Real guests for the tests of devices. */
import { linuxGuest } from '@coldboot/guest'
import { onTestFinished } from 'vitest'
import { balloon } from '../src/devices/balloon.ts'
import { channel } from '../src/devices/channel.ts'
import type { Device } from '../src/devices/device.ts'
import { serial } from '../src/devices/serial.ts'
import { watchdog } from '../src/devices/watchdog.ts'
import { VM } from '../src/machine/vm.ts'
import type { MachineOptions } from '../src/spec/machine-options.ts'
import { startReady } from '../src/template/start-ready.ts'

type GuestOptions = NonNullable<Parameters<typeof linuxGuest>[0]>

/** Boots Linux with these modules and devices to its shell prompt. The machine ends with the test. */
export async function bootLinux(
  guest: GuestOptions,
  devices: readonly Device[],
  more: MachineOptions = {},
): Promise<VM> {
  const vm = await VM.boot({ ...(await linuxGuest(guest)), timeout: 60_000, devices, ...more })
  onTestFinished(() => vm.close().then(() => {}))
  await vm.ready()
  await silenceEcho(vm)
  return vm
}

/** Like {@link bootLinux}, but from a template if possible, for tests that need no boot. */
export async function startLinux(
  guest: GuestOptions,
  devices: readonly Device[],
  more: MachineOptions = {},
): Promise<VM> {
  const vm = await startReady({ ...(await linuxGuest(guest)), timeout: 60_000, devices, ...more })
  onTestFinished(() => vm.close().then(() => {}))
  await silenceEcho(vm)
  return vm
}

/** Starts a machine with several devices, so that the tests of all of these devices share a template. */
export async function startWithAll() {
  const devices = {
    results: channel('results'),
    other: channel('other'),
    uart: serial(),
    virtio: serial({ model: 'virtio' }),
    memory: balloon(),
    dog: watchdog(),
  }
  return { ...devices, vm: await startLinux({}, Object.values(devices), { memory: '256M' }) }
}

/** Turns off the echo, so that input does not mix with output. */
export async function silenceEcho(vm: VM): Promise<void> {
  vm.send('stty -echo; echo "echo is"" off"\n')
  await vm.expect('echo is off\n')
}

/** Runs lines in the shell of the guest and returns their output and errors. @throws when the last one fails */
export async function run(vm: VM, command: string): Promise<string> {
  vm.send(`echo output; { ${command}\n} 2>&1; echo "status=$?"\n`)
  await vm.expect('output\n')
  const { before, groups } = await vm.expect(/status=(?<status>\d+)\n/)
  // The shell prints a prompt for each further line of a command.
  const output = before.replace(/^(?:> )+/gm, '')
  if (groups['status'] !== '0') throw new Error(`${command}: status ${groups['status']}\n${output}`)
  return output
}

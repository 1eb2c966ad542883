import { expect, test } from 'vitest'
import { startLinux } from '../../test/guest.ts'
import { pvpanic } from './pvpanic.ts'

test('a panic ends the machine with the reason, and its text is complete', async () => {
  const vm = await startLinux({}, [pvpanic()])
  // Without a reboot, only the device reports the panic.
  vm.send('echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger\n')
  expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-panic' })
  expect(vm.hasPrinted('Kernel panic - not syncing: sysrq triggered crash')).toBeDefined()
})

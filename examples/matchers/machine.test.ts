import { expect, test } from '@coldboot/vitest'

test('runs commands and creates files', async ({ vm }) => {
  await expect(vm).toRun('uname', { stdout: 'Linux' })
  await vm.run('(sleep 0.5; echo ready >/run/service) >/dev/null 2>&1 &')
  await expect(vm).toHaveFile('/run/service', 'ready', { timeout: 5_000 })
})

test('shuts down in order', async ({ vm }) => {
  vm.send('echo stop""ping; poweroff -f\n')
  await expect(vm).toPrintInOrder(['stopping', /reboot: Power down/])
  await expect(vm).toExit({ reason: 'guest-shutdown' })
})

test('panics on request', async ({ vm }) => {
  vm.send('echo c >/proc/sysrq-trigger\n')
  await expect(vm).toPanic({ message: 'sysrq triggered crash' })
})

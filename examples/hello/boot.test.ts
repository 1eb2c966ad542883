import { expect, test } from '@coldboot/vitest'

test('greets on the serial console', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
})

test('tells what it is', async ({ vm }) => {
  vm.send('uname -srm; nproc; free -m\n')
  const { before, groups } = await vm.expect(/Mem: +(?<total>\d+)/)
  expect(Number(groups['total'])).toBeLessThan(256)
  console.log(before.trim())
})

test('powers off', async ({ vm }) => {
  vm.send('poweroff -f\n')
  const { reason } = await vm.wait()
  expect(reason).toBe('guest-shutdown')
})

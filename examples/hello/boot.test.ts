import { expect, test } from '@coldboot/vitest'

test('greets on the serial console', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
})

test('reports its kernel and architecture', async ({ vm }) => {
  vm.send('uname -srm\n')
  const { groups } = await vm.expect(/^Linux (?<release>\S+) (?<arch>\S+)$/m)
  expect(groups['arch']).toBe(vm.spec.arch)
  console.log(`A fresh machine with Linux ${groups['release']}, ${vm.spec.memoryMib} MiB, by ${vm.spec.accelerator}`)
})

test('powers off', async ({ vm }) => {
  vm.send('poweroff -f\n')
  const { reason } = await vm.waitForExit()
  expect(reason).toBe('guest-shutdown')
  console.log(vm.output.trim())
})

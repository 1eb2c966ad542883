import { useVM } from '@coldboot/jest'
import { expect, test } from '@jest/globals'

const vm = useVM()

test('greets on the serial console', async () => {
  vm().send('echo hello-$((40 + 2))\n')
  await expect(vm()).toEventuallyPrint('hello-42')
})

test('is a fresh machine for each test', async () => {
  const { stdout } = await vm().run('ls /tmp')
  expect(stdout).toBe('')
  expect(vm()).not.toHavePrinted('hello-42')
})

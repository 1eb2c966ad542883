import { bootVm } from '@coldboot/jest'

test('the global expect has the matchers too', async () => {
  const vm = await bootVm()
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
  expect(vm).not.toHavePrinted('panic')
})

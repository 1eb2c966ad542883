import { bootVM } from '@coldboot/jest'

test('the global expect has the matchers too', async () => {
  const vm = await bootVM()
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
  expect(vm).not.toHavePrinted('panic')
})

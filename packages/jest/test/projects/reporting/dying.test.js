const { useVM } = require('@coldboot/jest')

const vm = useVM({ name: 'orphan' })

test('dies', async () => {
  vm().send('echo last""-breath\n')
  await expect(vm()).toEventuallyPrint('last-breath')
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
})

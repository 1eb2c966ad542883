const { useVM } = require('@coldboot/jest')

const vm = useVM({ name: 'orphan' })

test('dies', async () => {
  vm().send('echo last""-words\n')
  await expect(vm()).toEventuallyPrint('last-words')
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
})

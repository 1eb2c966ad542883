const { useVM } = require('@coldboot/jest')

jest.retryTimes(1)

const vm = useVM()

test('greets', async () => {
  vm().send('echo hello-$((40 + 2))\n')
  await expect(vm()).toEventuallyPrint('hello-42')
})

test('waits for what never comes', async () => {
  vm().send("echo '<img src=x onerror=alert(1)>'\n")
  await vm().expect('never', { timeout: 500 })
})

const pids = []
test('comes right at the second attempt', () => {
  pids.push(vm().pid)
  expect(pids).toHaveLength(2)
})

test.skip('is skipped', () => {})

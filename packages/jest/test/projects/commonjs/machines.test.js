const { bootVM, useVM, withVM } = require('@coldboot/jest')
const { virtioRandom } = require('@coldboot/core')
const { linuxGuest } = require('@coldboot/guest')

const vm = useVM({ devices: [virtioRandom()] })

test('a machine answers', async () => {
  vm().send('echo hello-$((40 + 2))\n')
  await expect(vm()).toEventuallyPrint(/hello-\d+/)
})

test('a machine has another guest', async () => {
  const other = await bootVM(linuxGuest)
  const { stdout } = await other.run('uname -s')
  expect(stdout).toBe('Linux\n')
})

test.concurrent(
  'a concurrent test has one',
  withVM(async ({ vm: own }) => {
    expect(own.state).toBe('running')
  }),
)

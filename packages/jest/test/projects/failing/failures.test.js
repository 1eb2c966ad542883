/** Contains a test for each kind of failure. The whole report of a run is compared, so each test waits for a silent console. */
import { arbitraryArgs } from '@coldboot/core'
import { bootVM, useVM, withVM } from '@coldboot/jest'
import { beforeEach, describe, expect, test } from '@jest/globals'

/** Runs a command and waits for the end of the next prompt, a mark of shell integration. */
async function type(vm, command) {
  vm.send(`${command}\n`)
  await vm.expect('coldboot# \x1b]133;B\x07', { view: 'raw', timeout: 50_000 })
}

describe('a machine', () => {
  const vm = useVM()

  test('and an assertion', async () => {
    await type(vm(), 'echo one-$((1 + 0))')
    expect('left').toBe('right')
  })

  test('and a thrown error', () => {
    if (!process.env['COLDBOOT_TEST_MENDED']) throw new Error(`nothing to do with ${vm().name}`)
  })

  test('and something thrown that is no error', () => {
    throw 'a string'
  })

  test('and an expect that times out', async () => {
    await type(vm(), 'echo one-$((1 + 1))')
    await vm().expect('one-1', { timeout: 300 })
  })

  test('and a matcher that times out', async () => {
    await type(vm(), 'echo one-$((1 + 1))')
    await expect(vm()).toEventuallyPrint(/one-1$/m, { timeout: 300 })
  })

  test('and a matcher that looks back', () => {
    expect(vm()).toHavePrinted('Kernel panic')
  })

  test('that prints what must not be printed', async () => {
    vm().send('echo pan""ic\n')
    await expect(vm()).not.toEventuallyPrint('panic\ncoldboot# ', { timeout: 50_000 })
  })

  test('and a test that times out while it waits', async () => {
    await type(vm(), ':')
    await vm().expect('never')
  }, 3_000)

  test('and a test that times out in a matcher', async () => {
    await type(vm(), ':')
    await expect(vm()).toEventuallyPrint('never')
  }, 3_000)

  test('and a test that times out elsewhere', async () => {
    await new Promise(() => {
      expect(vm().state).toBe('running')
    })
  }, 3_000)

  test('and a window longer than the test', async () => {
    await expect(vm()).not.toEventuallyPrint('never', { timeout: 10_000 })
  }, 3_000)

  test('and a forgotten await', () => {
    void vm().expect('never')
    expect(vm().state).toBe('running')
  })

  test('and a forgotten await of a matcher', () => {
    void expect(vm()).toEventuallyPrint('never')
  })

  test('that ends early', async () => {
    vm().send('poweroff -f\n')
    await vm().expect('still here')
  })

  test('and something that is none', async () => {
    await expect(vm).toEventuallyPrint('x')
  })

  test('and too few assertions', () => {
    expect.assertions(2)
    expect(vm().state).toBe('running')
  })
})

test('two machines of one name', async () => {
  await bootVM({ name: 'server' })
  await bootVM({ name: 'server' })
})

describe('two machines', () => {
  const server = useVM({ name: 'server' })
  const client = useVM({ name: 'client' })

  test('of which one says nothing', async () => {
    await Promise.all([type(server(), ':'), type(client(), 'echo ask')])
    await server().expect('asked', { timeout: 300 })
  })
})

describe('a hook', () => {
  const vm = useVM()
  beforeEach(async () => {
    await type(vm(), ':')
    await vm().expect('never')
  }, 3_000)

  test('that times out', () => {
    expect(vm()).toHavePrinted('unreachable')
  })
})

describe('concurrent tests', () => {
  test.concurrent(
    'that fail',
    withVM(async ({ vm }) => {
      await type(vm, ':')
      await vm.expect('never', { timeout: 300 })
    }),
  )

  test.concurrent(
    'that time out',
    withVM(async ({ vm }) => {
      await type(vm, ':')
      await new Promise(() => {})
    }),
    3_000,
  )

  const vm = useVM()
  test.concurrent('that use a machine of hooks', async () => {
    await vm().expect('never')
  })
})

describe('a boot', () => {
  const vm = useVM({ ready: 'a prompt that never comes', bootTimeout: 100 })

  test('that takes too long', () => {
    vm().send('unreachable\n')
    expect(vm()).toHavePrinted('unreachable')
  })
})

describe('a kernel', () => {
  useVM({ kernel: '/nowhere/vmlinuz' })

  test('that is missing', () => {
    expect('this').toBe('unreachable')
  })
})

describe('a QEMU', () => {
  test('that is missing', async () => {
    const vm = await bootVM({ qemu: 'qemu-system-nowhere' })
    expect(vm).toHavePrinted('unreachable')
  })
})

describe('a command line', () => {
  useVM(() => ({ devices: [arbitraryArgs('-device', 'no-such-device')] }))

  test('that QEMU refuses', () => {
    expect('this').toBe('unreachable')
  })
})

test('no machine at all', async () => {
  await new Promise(() => {})
}, 100)

/** Contains a test for each kind of failure. The whole report of a run is compared, so each test waits for a silent console. */
import { arbitraryArgs } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { describe, expect, test, type VM } from '@coldboot/vitest'

/** Runs a command and waits for the end of the next prompt, a mark of shell integration. */
async function type(vm: VM, command: string): Promise<void> {
  vm.send(`${command}\n`)
  await vm.expect('coldboot# \x1b]133;B\x07', { view: 'raw', timeout: 50_000 })
}

test('an assertion', async ({ vm }) => {
  await type(vm, 'echo one-$((1 + 0))')
  expect('left').toBe('right')
})

test('a thrown error', async ({ vm }) => {
  if (!process.env['COLDBOOT_TEST_MENDED']) throw new Error(`nothing to do with ${vm.name}`)
})

test('an expect that times out', async ({ vm }) => {
  await type(vm, 'echo one-$((1 + 1))')
  await vm.expect('one-1', { timeout: 300 })
})

test('a matcher that times out', async ({ vm }) => {
  await type(vm, 'echo one-$((1 + 1))')
  await expect(vm).toEventuallyPrint(/one-1$/m, { timeout: 300 })
})

test('a matcher that looks back', async ({ vm }) => {
  expect(vm).toHavePrinted('Kernel panic')
})

test('what must not be printed', async ({ vm }) => {
  vm.send('echo pan""ic\n')
  await expect(vm).not.toEventuallyPrint('panic\ncoldboot# ', { timeout: 50_000 })
})

test('a test that times out while it waits', { timeout: 3_000 }, async ({ vm }) => {
  await type(vm, ':')
  await vm.expect('never')
})

test('a test that times out in a matcher', { timeout: 3_000 }, async ({ vm }) => {
  await type(vm, ':')
  await expect(vm).toEventuallyPrint('never')
})

test('a test that times out elsewhere', { timeout: 3_000 }, async ({ vm }) => {
  await new Promise(() => {
    expect(vm.state).toBe('running')
  })
})

test('a window longer than the test', { timeout: 3_000 }, async ({ vm }) => {
  await expect(vm).not.toEventuallyPrint('never', { timeout: 10_000 })
})

test('a forgotten await', async ({ vm }) => {
  void vm.expect('never')
})

test('a forgotten await of a matcher', async ({ vm }) => {
  void expect(vm).toEventuallyPrint('never')
})

test('a forgotten await of a command', async ({ vm }) => {
  void vm.run('sleep 60')
})

test('a forgotten await of a boot', async ({ bootVM }) => {
  void bootVM({ name: 'server' })
})

test('a command that is too late', async ({ vm }) => {
  await vm.close()
  await vm.run('uname')
})

test('an input that is too late', async ({ vm }) => {
  await vm.close()
  vm.send('uname\n')
})

test('an option that is wrong', async ({ bootVM }) => {
  const name = 'server'
  await bootVM({ name, memory: '1T' as '1M' })
})

test('a device that is not called', async ({ bootVM }) => {
  // @ts-expect-error: it is not one
  await bootVM({ devices: [arbitraryArgs] })
})

test('options that are not awaited', async ({ bootVM }) => {
  // @ts-expect-error: they are a promise
  await bootVM(linuxGuest())
})

test('a guest that ends early', async ({ vm }) => {
  vm.send('poweroff -f\n')
  await vm.expect('still here')
})

test('not a machine', async ({ bootVM }) => {
  await expect(bootVM as unknown).toEventuallyPrint('x')
})

test('two machines of one name', async ({ bootVM }) => {
  await bootVM({ name: 'server' })
  await bootVM({ name: 'server' })
})

test('one of two machines', async ({ bootVM }) => {
  const [server, client] = await Promise.all([bootVM({ name: 'server' }), bootVM({ name: 'client' })])
  await Promise.all([type(server, ':'), type(client, 'echo ask')])
  await server.expect('asked', { timeout: 300 })
})

test('a retry', { retry: 1 }, async ({ vm, task }) => {
  await type(vm, `echo attempt-${task.result?.retryCount}`)
  expect(vm.state).toBe('exited')
})

describe('a boot', () => {
  test.override('vmOptions', { ready: 'a prompt that never comes', bootTimeout: 100 })

  test('that takes too long', async ({ vm }) => {
    vm.send('unreachable\n')
  })
})

describe('a kernel', () => {
  test.override('vmOptions', { kernel: '/nowhere/vmlinuz' })

  test('that is missing', async ({ vm }) => {
    vm.send('unreachable\n')
  })
})

describe('a QEMU', () => {
  test.override('vmOptions', { qemu: 'qemu-system-nowhere' })

  test('that is missing', async ({ vm }) => {
    vm.send('unreachable\n')
  })
})

describe('a command line', () => {
  test.override('vmOptions', { devices: [arbitraryArgs('-device', 'no-such-device')] })

  test('that QEMU refuses', async ({ vm }) => {
    vm.send('unreachable\n')
  })
})

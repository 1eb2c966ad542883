import { display, Network } from '@coldboot/core'
import { describe, expect, test } from '@coldboot/vitest'

describe('everything', () => {
  test.override('artifacts', { redact: [] })

  test('a screen and a network', async ({ bootVM }) => {
    await using network = new Network()
    const vm = await bootVM({ devices: [network.nic(), display()] })
    const frames = network.frames()
    await vm.run('ip link set eth0 up')
    await frames.waitFor()
    expect(vm.state).toBe('exited')
  })
})

describe('a film', () => {
  test.override('artifacts', { redact: [], film: 'on-failure' })

  test('of a firmware', async ({ bootVM }) => {
    const screen = display()
    const devices = [screen]
    const vm = await bootVM({ arch: 'x86_64', firmware: 'bios-256k.bin', devices, failOn: { noBootDevice: 'allow' } })
    await expect(screen).toShowText('No bootable device', { timeout: 20_000 })
    expect(vm.state).toBe('exited')
  })
})

describe('a little', () => {
  test.override('artifacts', { maxBytes: 8192 })

  test('a long console', async ({ vm }) => {
    vm.send('seq 1 9999; echo the-$((1))-end\n')
    await vm.expect('the-1-end', { timeout: 60_000 })
    expect(vm.state).toBe('exited')
  })
})

describe('a machine', () => {
  test.override('artifacts', { redact: [], machine: 'on-failure' })

  test('as the failure left it', async ({ vm }) => {
    await vm.run('echo left >/tmp/state')
    expect(vm.state).toBe('exited')
  })

  test('of a test that passes', async ({ vm }) => {
    await vm.run('true')
  })
})

describe('a machine that is too large', () => {
  test.override('artifacts', { redact: [], machine: 'on-failure', maxBytes: 100_000 })

  test('has no room', ({ vm }) => {
    expect(vm.state).toBe('exited')
  })
})

describe('always', () => {
  test.override('artifacts', { retain: 'always' })

  test('a test that passes', async ({ vm }) => {
    await vm.run('true')
  })
})

describe('never', () => {
  test.override('artifacts', { retain: 'never' })

  test('a test that fails', async ({ vm }) => {
    vm.send('echo failing-$((1))\n')
    await vm.expect('failing-1')
    expect(vm.state).toBe('exited')
  })
})

describe('wrong', () => {
  test.override('artifacts', { retain: 'sometimes' as 'never' })

  test('an option that is wrong', async ({ vm }) => {
    expect(vm.state).toBe('running')
  })
})

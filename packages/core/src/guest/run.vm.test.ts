import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandContract } from '../../test/command-contract.ts'
import type { VMOptions } from '../options.ts'
import { VM } from '../vm.ts'

let guest: VMOptions
let shared: VM
beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 30_000 }
  shared = await VM.start(guest)
}, 300_000)
afterAll(() => shared.close())

async function start(options: VMOptions = {}): Promise<VM> {
  const vm = await VM.start({ ...guest, ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

commandContract('shell', () => shared)

describe('a machine', () => {
  test('that is still booting is waited for', async () => {
    const vm = await start()
    expect((await vm.run('echo first', { timeout: 30_000 })).stdout).toBe('first\n')
    expect((await vm.ready()).text).toBe(guest.ready)
  })

  test('goes on being talked to by hand, behind what was run', async () => {
    const vm = await start()
    await vm.ready()
    const seen = vm.expect('needle')
    await vm.run('echo needle')
    expect((await seen).before).toContain('_cb')
    await vm.run('echo needle')
    vm.send('echo by-$((40 + 2))\n')
    expect((await vm.expect('by-42')).before).not.toContain('needle')
    expect(vm.hasPrinted('needle')).toBeDefined()
  })

  test('that ends takes the command with it', async () => {
    const vm = await start()
    await expect(vm.run('poweroff -f; sleep 100')).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      message: expect.stringContaining('the guest powered off'),
    })
    await expect(vm.run('true')).rejects.toMatchObject({ code: 'COMMAND_LOST' })
  })

  test('whose console has no shell is told from a command that does not end', async () => {
    const vm = await start({ ready: undefined, kernelArgs: 'quiet console=none' })
    await expect(vm.run('true', { timeout: 300 })).rejects.toMatchObject({ code: 'SHELL_SILENT' })
  })
})

describe('refused before anything is typed', () => {
  test.each<[what: string, command: unknown, options: object, message: RegExp]>([
    ['an empty command', '', {}, /the command must be a string that is not empty/],
    ['a NUL', 'a\0b', {}, /without NUL/],
    ['no words', [], {}, /list of strings/],
    ['an unknown option', 'true', { timeOut: 1 }, /did you mean `timeout`/],
    ['a name that is none', 'true', { env: { 'a b': '' } }, /`env` must be/],
    ['a way the machine does not have', 'true', { way: 'guest-agent' }, /has no way `guest-agent`/],
    ['a timeout of 0', 'true', { timeout: 0 }, /above 0/],
  ])('%s', async (_what, command, options, message) => {
    await expect(shared.run(command as string, options)).rejects.toThrow(message)
  })
})

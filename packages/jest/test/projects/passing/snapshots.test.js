import { display } from '@coldboot/core'
import { useVM, withVM } from '@coldboot/jest'
import { describe, expect, test } from '@jest/globals'

describe('a machine', () => {
  const vm = useVM()

  test('boots with the same log', async () => {
    await expect(vm()).toMatchBootLog()
  })
})

const firmware = {
  arch: 'x86_64',
  firmware: 'bios-256k.bin',
  devices: [display()],
  failOn: { noBootDevice: 'allow' },
  timeout: 30_000,
}

test.concurrent.each(['one screen', 'another'])(
  '%s looks as ever',
  withVM(firmware, async ({ vm }) => {
    await vm.expect('No bootable device.\n')
    await expect(vm).toMatchScreenshot({ timeout: 5_000 })
  }),
  60_000,
)

/** Tests with boot log snapshots and screenshots. */
import { display } from '@coldboot/core'
import { describe, expect, test } from '@coldboot/vitest'

test('the log of a boot', async ({ vm }) => {
  await expect(vm).toMatchBootLog()
  await expect(vm).toMatchBootLog({ hint: 'again' })
})

describe('a screen', () => {
  test.override('vmOptions', {
    arch: 'x86_64',
    firmware: 'bios-256k.bin',
    devices: [display()],
    failOn: { noBootDevice: 'allow' },
    timeout: 30_000,
  })

  test('of a firmware', async ({ vm }) => {
    await vm.expect('No bootable device.\n')
    await expect(vm).toMatchScreenshot({ timeout: 5_000 })
    await expect(vm).toMatchScreenshot({ name: 'again', timeout: 5_000 })
  })
})

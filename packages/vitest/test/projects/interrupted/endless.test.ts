import { arbitraryArgs } from '@coldboot/core'
import { test } from '@coldboot/vitest'

test('never ends', { timeout: 0 }, async ({ bootVM }) => {
  const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
  // Without a template, because the FIFO must have only one machine. A firmware prints sooner than a kernel.
  const firmware = 'bios-256k.bin'
  const failOn = { noBootDevice: 'allow' } as const
  const vm = await bootVM({ arch: 'x86_64', firmware, devices: [life], failOn, template: 'off' })
  await vm.expect('never', { timeout: Infinity })
})

import { arbitraryArgs } from '@coldboot/core'
import { test } from '@coldboot/vitest'

test('never ends', { timeout: 0 }, async ({ bootVM, onTestFinished }) => {
  onTestFinished(() => new Promise(() => {}))
  const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
  // Without a template, because the FIFO must have only one machine.
  const vm = await bootVM({ devices: [life], template: 'off' })
  await vm.expect('never', { timeout: Infinity })
})

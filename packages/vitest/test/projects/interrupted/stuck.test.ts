import { arbitraryArgs } from '@coldboot/core'
import { test } from '@coldboot/vitest'

test('never ends', { timeout: 0 }, async ({ bootVM, onTestFinished }) => {
  onTestFinished(() => new Promise(() => {}))
  const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
  // The line is at its end with the first machine that was on it: there must be no other one.
  const vm = await bootVM({ devices: [life], template: 'off' })
  await vm.expect('never', { timeout: Infinity })
})

import { arbitraryArgs } from '@coldboot/core'
import { test } from '@coldboot/vitest'

test('never ends', { timeout: 0 }, async ({ bootVm, onTestFinished }) => {
  onTestFinished(() => new Promise(() => {}))
  const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
  const vm = await bootVm({ devices: [life] })
  await vm.expect('never', { timeout: Infinity })
})

import { openSync } from 'node:fs'
import { arbitraryArgs } from '@coldboot/core'
import { useVM } from '@coldboot/jest'
import { test } from '@jest/globals'

// Kept open until the end of this process.
openSync(process.env['COLDBOOT_TEST_WORKER'] ?? '', 'w')

const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
// Without a template, because the FIFO must have only one machine. A firmware prints sooner than a kernel.
const firmware = 'bios-256k.bin'
const vm = useVM({
  arch: 'x86_64',
  firmware,
  devices: [life],
  failOn: { noBootDevice: 'allow' },
  template: 'off',
})

test(
  'never ends',
  async () => {
    await vm().expect('never', { timeout: Infinity })
  },
  2 ** 31,
)

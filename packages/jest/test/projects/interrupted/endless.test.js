import { openSync } from 'node:fs'
import { arbitraryArgs } from '@coldboot/core'
import { useVM } from '@coldboot/jest'
import { test } from '@jest/globals'

// Held open as long as this process lives.
openSync(process.env['COLDBOOT_TEST_WORKER'] ?? '', 'w')

const life = arbitraryArgs('-chardev', `file,id=life,path=${process.env['COLDBOOT_TEST_LIFE']}`)
// The line is at its end with the first machine that was on it: there must be no other one.
const vm = useVM({ devices: [life], template: 'off' })

test(
  'never ends',
  async () => {
    await vm().expect('never', { timeout: Infinity })
  },
  2 ** 31,
)

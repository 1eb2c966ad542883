import { readFileSync, statSync } from 'node:fs'
import { test } from '@coldboot/vitest'

test('shows what its machine was started from', async ({ vm }) => {
  const [, memory = ''] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm.pid}/cmdline`, 'utf8')) ?? []
  const { ino, birthtimeMs } = statSync(memory)
  console.log(`template ${memory} ${ino} ${birthtimeMs}.`)
})

import { readFileSync, statSync } from 'node:fs'
import { arbitraryArgs } from '@coldboot/core'
import { test } from '@coldboot/vitest'

// A firmware alone boots sooner than Linux. Its menu waits for a key, so that the boot is long enough to be shown.
test.override('vmOptions', {
  arch: 'x86_64',
  firmware: 'bios-256k.bin',
  devices: [arbitraryArgs('-boot', 'menu=on,splash-time=1000')],
  failOn: { noBootDevice: 'allow' },
  ready: 'No bootable device',
})

test('shows what its machine was started from', async ({ vm }) => {
  const [, memory = ''] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm.pid}/cmdline`, 'utf8')) ?? []
  const { ino, birthtimeMs } = statSync(memory)
  console.log(`template ${memory} ${ino} ${birthtimeMs}.`)
})

const { readFileSync } = require('node:fs')
const { arbitraryArgs } = require('@coldboot/core')
const { useVM } = require('@coldboot/jest')

const vm = useVM({
  // A unique template, which no earlier run has created.
  templateKey: process.env.COLDBOOT_TEST_KEY,
  // Boots only firmware, which is faster than Linux. Its menu waits for a key, so that the boot is long enough to be shown.
  arch: 'x86_64',
  firmware: 'bios-256k.bin',
  devices: [arbitraryArgs('-boot', 'menu=on,splash-time=1000')],
  failOn: { noBootDevice: 'allow' },
  ready: 'No bootable device',
})

test('shows what its machine was started from', () => {
  const [, memory] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm().pid}/cmdline`, 'utf8'))
  process.stderr.write(`template ${memory} 1\n`)
})

const { readFileSync } = require('node:fs')
const { useVM } = require('@coldboot/jest')

// A unique template, which no earlier run has created.
const vm = useVM({ templateKey: process.env.COLDBOOT_TEST_KEY })

test('shows what its machine was started from', () => {
  const [, memory] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm().pid}/cmdline`, 'utf8'))
  process.stderr.write(`template ${memory} 1\n`)
})

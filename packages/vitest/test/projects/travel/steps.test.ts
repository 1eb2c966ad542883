import { appendFileSync } from 'node:fs'
import { expect, test } from '@coldboot/vitest'

const record = (step: string): void => appendFileSync(process.env['COLDBOOT_TEST_LOG'] ?? '', `${step}\n`)

test.override('vmOptions', {
  prepare: [
    async (vm) => {
      record('first')
      await vm.run('echo one >/tmp/steps')
    },
    async (vm) => {
      record('second')
      await vm.run('echo two >>/tmp/steps')
    },
  ],
})

test.for(['one', 'another'])('%s machine is prepared', async (_name, { vm }) => {
  expect((await vm.run('cat /tmp/steps')).stdout).toBe('one\ntwo\n')
})

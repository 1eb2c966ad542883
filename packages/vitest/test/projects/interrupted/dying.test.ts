import { test } from '@coldboot/vitest'

test('ends with its worker', async ({ vm }) => {
  vm.send('echo last-words-$((1))\n')
  await vm.expect('last-words-1')
  process.kill(process.pid, 'SIGKILL')
  await vm.expect('never')
})

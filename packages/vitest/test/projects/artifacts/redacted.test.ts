import { display, Network } from '@coldboot/core'
import { expect, test } from '@coldboot/vitest'

// The secrets of the configuration hold, although this does not name them.
test.override('artifacts', { retain: 'always' })

const secret = process.env['COLDBOOT_TEST_SECRET'] ?? ''

test('a secret that is typed, printed, run and reported', async ({ bootVM }) => {
  await using network = new Network()
  const vm = await bootVM({ devices: [network.nic(), display()] })
  for (const character of `echo '${secret}'\n`) vm.send(character)
  await vm.expect(`\n${secret}`)
  vm.send('echo token-$((6 * 7))x\n')
  await vm.expect(/token-\d+x/)
  const { stdout } = await vm.run(`echo '${secret}'`)
  expect({ stdout }).toEqual({ stdout: `not ${secret}` })
})

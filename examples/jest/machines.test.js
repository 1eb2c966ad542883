import { Network } from '@coldboot/core'
import { bootVM, useVM, withVM } from '@coldboot/jest'
import { describe, expect, test } from '@jest/globals'

describe('two machines', () => {
  const server = useVM({ name: 'server' })
  const client = useVM({ name: 'client', memory: '160M' })

  test('boot at the same time', () => {
    expect([server().spec.memoryMib, client().spec.memoryMib]).toEqual([256, 160])
  })
})

describe('a machine that is prepared in steps', () => {
  const vm = useVM({
    prepare: [(machine) => machine.run('echo one >/tmp/steps'), (machine) => machine.run('echo two >>/tmp/steps')],
    templateKey: ['steps 1', ''],
  })

  test('has the result of all steps', async () => {
    const { stdout } = await vm().run('cat /tmp/steps')
    expect(stdout).toBe('one\ntwo\n')
  })
})

test('a machine starts from a checkpoint of another one', async () => {
  const vm = await bootVM({ name: 'first' })
  await vm.run('echo kept >/tmp/state')
  const other = await bootVM({ name: 'other', from: await vm.checkpoint() })
  await expect(other).toRunSuccessfully('grep kept /tmp/state')
})

test.concurrent.each(['here', 'there'])(
  'a machine is %s',
  withVM(async ({ vm }, place) => {
    const { stdout } = await vm.run(`echo ${place}`)
    expect(stdout).toBe(`${place}\n`)
  }),
)

test('the terminal shows what a program draws', async () => {
  const vm = await bootVM()
  vm.send("printf '\\033[2J\\033[2;3H%s' here; sleep 60\n")
  await expect(vm.terminal).toShowText(/^ {2}here$/m)
  expect(await vm.terminal.line(1)).toBe('  here')
})

test('two machines see each other', async () => {
  const network = new Network()
  const [server, client] = await Promise.all([
    bootVM({ name: 'server', devices: [network.nic()] }),
    bootVM({ name: 'client', devices: [network.nic()] }),
  ])
  await server.run('ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up')
  await client.run('ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up')
  await expect(client).toRunSuccessfully('ping -c1 10.0.0.1')
  await network.close()
})

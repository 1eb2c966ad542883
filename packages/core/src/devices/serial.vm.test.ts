import { expect, test } from 'vitest'
import { run, startWithAll } from '../../test/guest.ts'

test('programs use additional ports, each with its own expect', async () => {
  const { vm, uart, virtio } = await startWithAll()
  for (const [port, tty] of [
    [uart, 'ttyS1'],
    [virtio, 'hvc0'],
  ] as const) {
    const loop = 'echo up; while read -r line; do echo "$line on $(tty)"; done'
    await run(vm, `sh -c '${loop}' </dev/${tty} >/dev/${tty} 2>&1 &`)
    await port.expect('up\n')
    port.send('I am\n')
    await port.expect(`I am on /dev/${tty}\n`)
  }
  expect(uart.hasPrinted('hvc0')).toBeUndefined()
  const waiting = expect(uart.expect('never')).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
  await vm.close()
  await waiting
})

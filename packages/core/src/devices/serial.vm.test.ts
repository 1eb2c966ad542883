import { expect, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { serial } from './serial.ts'

test('a second shell runs on a further port, each with an expect of its own', async () => {
  const [uart, virtio] = [serial(), serial({ model: 'virtio' })]
  const vm = await bootLinux({ modules: ['virtio_console'] }, [uart, virtio])
  for (const [port, tty] of [
    [uart, 'ttyS1'],
    [virtio, 'hvc0'],
  ] as const) {
    // A shell that reads the port as a script: an interactive one would ask the terminal for its size first.
    await run(vm, `setsid -c sh /dev/${tty} </dev/${tty} >/dev/${tty} 2>&1 &`)
    port.send('echo "I am on $(tty)"\n')
    await port.expect(`I am on /dev/${tty}\n`)
  }
  expect(uart.hasPrinted('hvc0')).toBeUndefined()
  const waiting = expect(uart.expect('never')).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
  await vm.close()
  await waiting
})

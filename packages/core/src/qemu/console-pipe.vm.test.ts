/** Console output that arrives while this process does not read it. */
import { linuxGuest } from '@coldboot/guest'
import { expect, test } from 'vitest'
import { startReady } from '../template/start-ready.ts'

const LINES = 200
/** Longer than a kernel waits until the serial port has sent a line. Milliseconds. */
const BUSY_MS = 2_000

test('kernel messages are complete if this process was busy when they were printed', async () => {
  await using vm = await startReady({ ...(await linuxGuest()), timeout: 60_000 })
  await vm.run('dmesg -n 8')
  const print = `i=0; while [ $i -lt ${LINES} ]; do i=$((i + 1)); echo "message $i end" >/dev/kmsg; done`
  vm.send(`echo begin-$((1)); ${print}; echo end-$((1))\n`)
  await vm.expect('begin-1\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS)
  const { before } = await vm.expect('end-1\n')
  const numbers = [...before.matchAll(/message (\d+) end\n/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(Array.from({ length: LINES }, (_, index) => index + 1))
})

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { run, startWithAll } from '../../test/guest.ts'

const PORT = (name: string) => `/dev/virtio-ports/${name}`

test('receives events of a program in the guest up to the done event', async () => {
  const { vm, results } = await startWithAll()
  await run(vm, `{ echo '{"test":"a","ok":true}'; echo '{"event":"done","tests":1}'; } >${PORT('results')}`)
  const events = results.events()
  expect(await events.next()).toEqual({ done: false, value: { test: 'a', ok: true } })
  expect(await events.next()).toEqual({ done: true, value: { event: 'done', tests: 1 } })
})

test('rejects if a guest dies silently', async () => {
  const { vm, results } = await startWithAll()
  await run(vm, `echo '{"test":"a"}' >${PORT('results')}`)
  vm.send('poweroff -f\n')
  await vm.waitForExit()
  // Reads after the end of the machine, because data that was sent is not lost.
  const events = results.events()
  expect(await events.next()).toEqual({ done: false, value: { test: 'a' } })
  await expect(events.next()).rejects.toMatchObject({ code: 'CHANNEL_ENDED' })
})

test('transfers bytes unchanged in both directions, and queues data until the guest reads', async () => {
  const { vm, results: bytes } = await startWithAll()
  const all = Buffer.from(Array.from({ length: 1 << 16 }, (_, index) => index & 0xff))
  bytes.stream().write(all)
  expect(await run(vm, `head -c ${all.length} ${PORT('results')} >/tmp/all; wc -c </tmp/all`)).toBe(`${all.length}\n`)
  vm.send(`cat /tmp/all /tmp/all >${PORT('results')}\n`)
  let received = Buffer.alloc(0)
  while (received.length < 2 * all.length) {
    received = Buffer.concat([received, (await once(bytes.stream(), 'data'))[0] as Buffer])
  }
  expect(received.equals(Buffer.concat([all, all]))).toBe(true)
  const rest = text(bytes.stream())
  await vm.close()
  expect(await rest).toBe('')
})

import { expect, test } from 'vitest'
import { run, startLinux, startWithAll } from '../../test/guest.ts'
import { watchdog } from './watchdog.ts'

test('resets a guest that stops writing, with the reason of the exit', async () => {
  const { vm, dog } = await startWithAll()
  const fired = dog.fired()
  // Opens the watchdog and never writes again. Closing it with the magic character would stop it.
  vm.send('watchdog -T 2 -t 60 /dev/watchdog; killall -9 watchdog\n')
  expect(await fired).toBe('reset')
  expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-reset' })
})

test('pauses a guest for inspection', async () => {
  const dog = watchdog({ action: 'pause' })
  const vm = await startLinux({}, [dog])
  await run(vm, 'watchdog -T 2 -t 60 /dev/watchdog')
  expect(await dog.of(vm).fired()).toBe('pause')
  expect(vm.state).toBe('running')
})

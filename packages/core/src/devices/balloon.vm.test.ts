import { expect, test } from 'vitest'
import { run, startWithAll } from '../../test/guest.ts'

test('takes memory from a guest and returns it', async () => {
  const { vm, memory: device } = await startWithAll()
  const available = async () => Number((await run(vm, "sed -n 's/MemTotal: *//p' /proc/meminfo")).split(' ')[0])
  const before = await available()
  expect(await device.resize('192M')).toBe(192)
  expect(await device.size()).toBe(192)
  expect(await available()).toBe(before - 64 * 1024)
  expect(await device.resize('256M')).toBe(256)
  expect(await available()).toBe(before)
})

import { expect, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { balloon } from './balloon.ts'

test('takes memory from a guest and returns it', async () => {
  const device = balloon()
  const vm = await bootLinux({}, [device], { memory: '256M' })
  const available = async () => Number((await run(vm, "sed -n 's/MemTotal: *//p' /proc/meminfo")).split(' ')[0])
  const before = await available()
  expect(await device.resize('192M')).toBe(192)
  expect(await device.size()).toBe(192)
  expect(await available()).toBe(before - 64 * 1024)
  expect(await device.resize('256M')).toBe(256)
  expect(await available()).toBe(before)
})

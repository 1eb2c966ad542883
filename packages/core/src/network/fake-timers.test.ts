import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Capture } from './capture.ts'
import { resolveImpairment } from './impairment.ts'
import type { Link } from './link.ts'
import { LinkConditioner } from './link-conditioner.ts'
import { Observers } from './observers.ts'

// Fake timers of a test must not affect its networks.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const link = { card: { name: 'net0', mac: '52:54:00:00:00:01', model: 'virtio', machine: 'vm' } } as unknown as Link

test('a link with latency delivers frames', async () => {
  const conditioner = new LinkConditioner(resolveImpairment({ latency: 1 }))
  const arrived = await new Promise<Buffer>((resolve) => conditioner.pass(Buffer.from('frame'), resolve))
  expect(arrived.toString()).toBe('frame')
})

test('a capture writes frames while the network runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  await using capture = new Capture(join(folder, 'net.pcapng'), () => {})
  capture.add(link, 'sent', 0, Buffer.from('the frame'))
  expect(vi.getTimerCount()).toBe(0)
})

test('a frame has the time of the host', () => {
  vi.setSystemTime(new Date('2001-02-03'))
  const observers = new Observers()
  using log = observers.log(() => true, { limit: 10, timeoutMultiplier: 1 })
  observers.observe(link, 'sent', Buffer.alloc(60))
  expect(new Date(log.history[0]?.time ?? 0).getFullYear()).toBeGreaterThan(2024)
})

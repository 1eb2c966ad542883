import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { expect, test, vi } from 'vitest'
import { serveProgress } from './progress-server.ts'
import { startProgress } from './start-progress.ts'

test('shows what a worker reports, until the server is closed', async () => {
  vi.stubEnv('COLDBOOT_PROGRESS_SOCKET', '/outer/socket')
  const refresh = vi.fn()
  const ended = vi.fn()
  const server = serveProgress({ refresh, ended })
  const path = readEnvironment().progressSocket ?? ''
  expect(path).not.toBe('/outer/socket')
  const progress = startProgress('Preparing the guest', 'test')
  progress.update('Downloading', 0.5)
  await vi.waitFor(() =>
    expect(server.board.activities).toEqual([
      expect.objectContaining({ title: 'Preparing the guest', detail: 'Downloading', fraction: 0.5 }),
    ]),
  )
  progress.end('failed')
  progress.end()
  await vi.waitFor(() =>
    expect(ended.mock.calls).toMatchObject([[{ title: 'Preparing the guest', outcome: 'failed' }]]),
  )
  server.close()
  expect(existsSync(dirname(path))).toBe(false)
  expect(readEnvironment().progressSocket).toBe('/outer/socket')
})

test('a worker continues without its server', async () => {
  vi.stubEnv('COLDBOOT_PROGRESS_SOCKET', '/does/not/exist')
  const progress = startProgress('Preparing the guest', 'test')
  await new Promise(setImmediate)
  expect(() => {
    progress.update('Downloading')
    progress.end()
  }).not.toThrow()
})

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ActivityReport } from './activity.ts'
import type { ProgressBoard } from './progress-board.ts'
import { serveProgress } from './progress-server.ts'
import { startProgress } from './start-progress.ts'

/** @returns a function that resolves after the board has received a report with these properties */
function receipts(board: ProgressBoard): (wanted: Partial<ActivityReport>) => Promise<void> {
  const reports: ActivityReport[] = []
  let check = (): void => {}
  const receive = board.receive.bind(board)
  vi.spyOn(board, 'receive').mockImplementation((worker, report) => {
    receive(worker, report)
    reports.push(report)
    check()
  })
  return (wanted) =>
    new Promise((resolve) => {
      check = () => {
        const matches = (report: ActivityReport): boolean =>
          Object.entries(wanted).every(([key, value]) => Reflect.get(report, key) === value)
        if (reports.some(matches)) resolve()
      }
      check()
    })
}

test('shows what a worker reports, until the server is closed', async () => {
  vi.stubEnv('COLDBOOT_PROGRESS_SOCKET', '/outer/socket')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  // Activities are shown only after some time.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const refresh = vi.fn()
  const ended = vi.fn()
  const server = serveProgress({ refresh, ended })
  const received = receipts(server.board)
  const path = readEnvironment().progressSocket ?? ''
  expect(path).not.toBe('/outer/socket')
  const progress = startProgress('Preparing the guest', 'test')
  progress.update('Downloading', 0.5)
  await received({ detail: 'Downloading' })
  vi.advanceTimersByTime(1000)
  expect(server.board.activities).toEqual([
    expect.objectContaining({ title: 'Preparing the guest', detail: 'Downloading', fraction: 0.5 }),
  ])
  progress.end('failed')
  progress.end()
  await received({ outcome: 'failed' })
  expect(ended.mock.calls).toMatchObject([[{ title: 'Preparing the guest', outcome: 'failed' }]])
  server.close()
  expect(existsSync(dirname(path))).toBe(false)
  expect(readEnvironment().progressSocket).toBe('/outer/socket')
})

test('ignores a line that a killed worker has not completed, and lines of other programs', async () => {
  const received: string[] = []
  const server = serveProgress({ refresh: () => {} })
  const all = Promise.withResolvers<void>()
  vi.spyOn(server.board, 'receive').mockImplementation((_, { title }) => void received.push(title))
  vi.spyOn(server.board, 'forget').mockImplementation(() => all.resolve())
  const worker = connect(readEnvironment().progressSocket ?? '')
  const report = { id: 1, title: 'Preparing', kind: 'test' }
  const others = ['null', '3', '[]', '{"id":1}', JSON.stringify({ ...report, fraction: 'half' })]
  const lines = [...others, JSON.stringify(report), JSON.stringify({ ...report, title: 'Cut' }).slice(0, -3)]
  worker.end(lines.join('\n'))
  await all.promise
  server.close()
  expect(received).toEqual(['Preparing'])
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

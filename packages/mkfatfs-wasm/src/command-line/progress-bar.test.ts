import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { ProgressBar } from './progress-bar.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A stream that may be a terminal, with the clock `elapsed` ms after the bar was made. */
function setUp({ isTTY, elapsed }: { isTTY: boolean; elapsed: number }) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  }) as unknown as NodeJS.WriteStream & PassThrough
  const now = vi.spyOn(performance, 'now')
  now.mockReturnValue(0)
  const bar = new ProgressBar(stream)
  now.mockReturnValue(elapsed)
  return { stream, bar }
}

test('shows the percentage and the total on a terminal after a second', async () => {
  const { stream, bar } = setUp({ isTTY: true, elapsed: 1000 })
  bar.update({ bytes: 2 ** 20, totalBytes: 2 ** 22 })
  await once(stream, 'readable')
  let shown = ''
  stream.on('data', (data: string) => {
    shown += data
  })
  while (!shown.includes('of 4 MiB')) await once(stream, 'data')
  expect(shown).toContain('25% of 4 MiB')
  bar.stop()
})

test.for([
  ['output that is not a terminal', { isTTY: false, elapsed: 1000 }],
  ['a short run', { isTTY: true, elapsed: 100 }],
] as const)('shows nothing for %s', async ([, situation]) => {
  const { stream, bar } = setUp(situation)
  bar.update({ bytes: 1, totalBytes: 2 })
  // Gives the bar enough time to load its library.
  await import('cli-progress')
  await new Promise(setImmediate)
  bar.stop()
  expect(stream.read()).toBeNull()
})

test('does not appear after it was stopped', async () => {
  const { stream, bar } = setUp({ isTTY: true, elapsed: 1000 })
  bar.update({ bytes: 1, totalBytes: 2 })
  bar.stop()
  await import('cli-progress')
  await new Promise(setImmediate)
  expect(stream.read()).toBeNull()
})

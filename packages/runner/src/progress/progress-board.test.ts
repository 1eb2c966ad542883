import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Activity, ActivityReport } from './activity.ts'
import { DurationRecord } from './durations.ts'
import { activityRows, ProgressBoard, type ProgressDisplay } from './progress-board.ts'
import { ProgressLog } from './progress-log.ts'

let cache: string
let record: DurationRecord
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'progress-board-'))
  vi.stubEnv('COLDBOOT_CACHE', cache)
  record = new DurationRecord()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})
afterEach(async () => {
  await record.written
  vi.useRealTimers()
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true })
})

const boot: ActivityReport = { id: 1, title: 'Booting "vm"', kind: 'boot-x86_64' }
const guest: ActivityReport = { id: 2, title: 'Preparing the guest', kind: 'guest' }

function logged(): { readonly board: ProgressBoard; readonly lines: string[] } {
  const lines: string[] = []
  return { board: new ProgressBoard(new ProgressLog((line) => lines.push(line)), record), lines }
}

test('an activity is logged within the first second, every ten seconds, and at its end', () => {
  const { board, lines } = logged()
  board.receive('a', boot)
  vi.advanceTimersByTime(1000)
  expect(lines).toEqual(['coldboot: Booting "vm" (0.4 s)\n'])
  vi.advanceTimersByTime(11_000)
  board.receive('a', { ...boot, outcome: 'done' })
  expect(lines.slice(1)).toEqual(['coldboot: Booting "vm" (10 s)\n', 'coldboot: Booting "vm": done after 12 s\n'])
  expect(vi.getTimerCount()).toBe(0)
})

test('a step of an activity is logged once, and not for each change of its fraction', () => {
  const { board, lines } = logged()
  board.receive('a', guest)
  vi.advanceTimersByTime(1000)
  for (const fraction of [0, 0.5, 0.99]) board.receive('a', { ...guest, detail: 'Downloading (71 MB)', fraction })
  expect(lines).toEqual([
    'coldboot: Preparing the guest (0.4 s)\n',
    'coldboot: Preparing the guest: Downloading (71 MB) 0 % (1.0 s)\n',
  ])
})

test('an activity that takes no time is not logged', () => {
  const { board, lines } = logged()
  board.receive('a', boot)
  vi.advanceTimersByTime(250)
  board.receive('a', { ...boot, outcome: 'done' })
  expect(lines).toEqual([])
})

test('only the first of several activities with the same title is logged', () => {
  const { board, lines } = logged()
  for (const worker of ['a', 'b']) {
    board.receive(worker, boot)
    vi.advanceTimersByTime(2000)
    board.receive(worker, { ...boot, outcome: 'failed' })
  }
  expect(lines).toEqual(['coldboot: Booting "vm" (0.4 s)\n', 'coldboot: Booting "vm": failed after 2.0 s\n'])
})

test('the duration of a finished activity is shown with the next one of its kind, also in another run', async () => {
  const { board } = logged()
  board.receive('a', boot)
  vi.advanceTimersByTime(4000)
  board.receive('a', { ...boot, outcome: 'done' })
  board.receive('a', guest)
  vi.advanceTimersByTime(500)
  board.receive('a', { ...guest, outcome: 'failed' })
  await record.written
  expect(await record.read()).toEqual(new Map([['boot-x86_64', 4000]]))

  const reading = vi.spyOn(record, 'read')
  const next = logged()
  next.board.receive('a', boot)
  vi.advanceTimersByTime(500)
  await reading.mock.results[0]?.value
  expect(next.board.activities).toMatchObject([{ title: 'Booting "vm"', lastMs: 4000 }])
})

test('durations that are recorded at the same time are all kept', async () => {
  await Promise.all(['a', 'b', 'c'].map((kind, index) => record.write(kind, index)))
  expect(await record.read()).toEqual(new Map(Object.entries({ a: 0, b: 1, c: 2 })))
})

test('the activities of a worker that has ended are removed', () => {
  const refresh = vi.fn<ProgressDisplay['refresh']>()
  const board = new ProgressBoard({ refresh })
  board.receive('a', boot)
  board.receive('b', guest)
  vi.advanceTimersByTime(1000)
  board.forget('a')
  expect(board.activities.map(({ title }) => title)).toEqual(['Preparing the guest'])
  board.forget('b')
  expect(refresh).toHaveBeenLastCalledWith([])
})

test('rows fit the width of the terminal, and their number is limited', () => {
  const activity: Activity = { ...boot, elapsedMs: 1500, lastMs: 26_000 }
  expect(activityRows([activity], 80)).toEqual(['coldboot: Booting "vm" (1.5 s, last time 26 s)'])
  expect(activityRows([activity], 0)).toEqual(activityRows([activity], 80))
  expect(activityRows([activity], 20)).toEqual(['coldboot: Booting …'])
  expect(
    activityRows(
      Array.from({ length: 5 }, () => activity),
      80,
    ).slice(1),
  ).toEqual(['coldboot: Booting "vm" (1.5 s, last time 26 s)', 'coldboot: and 3 more'])
})

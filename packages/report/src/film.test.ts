import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VM } from '@coldboot/core'
import { expect, onTestFinished, test } from 'vitest'
import { Film, type FilmFrame } from './film.ts'

/** Films a machine whose display shows these pictures in sequence, then none. */
async function filmOf(shown: readonly (string | undefined)[], maxBytes = 1_000) {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { promise: isOver, resolve } = Promise.withResolvers<void>()
  let looks = 0
  const screenshot = async (): Promise<Uint8Array> => {
    const picture = shown[looks++]
    if (looks > shown.length) resolve()
    if (picture === undefined) throw new Error('the machine is off')
    return Buffer.from(picture)
  }
  const display = { name: 'display', screenshot, of: () => ({ screenshot }) }
  const vm = { spec: { devices: [display] } } as unknown as VM
  const cuts: string[] = []
  const film = new Film({
    directory,
    maxBytes,
    time: () => looks,
    pauseMs: 0.1,
    onCut: (why) => {
      cuts.push(why)
      resolve()
    },
  })
  film.start(vm)
  film.start(vm)
  await isOver
  await film.stop()
  const frames = readFileSync(join(directory, 'film.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): FilmFrame => JSON.parse(line) as FilmFrame)
  return { directory, film, frames, cuts }
}

test('keeps the frames that changed, with their times', async () => {
  const { directory, frames, film, cuts } = await filmOf(['A', 'A', 'B', undefined, 'B', 'A'])
  expect(frames).toEqual([
    { time: 0, display: 1, file: '000001.png' },
    { time: 2, display: 1, file: '000002.png' },
    { time: 5, display: 1, file: '000001.png' },
  ])
  expect(readdirSync(join(directory, 'film'))).toEqual(['000001.png', '000002.png'])
  expect(readFileSync(join(directory, 'film', '000002.png'), 'utf8')).toBe('B')
  expect(cuts).toEqual([])
  await film.discard()
  expect(existsSync(join(directory, 'film'))).toBe(false)
  expect(existsSync(join(directory, 'film.jsonl'))).toBe(false)
})

test('ends at its limit', async () => {
  const { frames, cuts } = await filmOf(['aaaa', 'bbbb', 'cccc', 'dddd'], 110)
  expect(frames).toHaveLength(2)
  expect(cuts).toEqual(['ends at 2.0 s: it has the most bytes that it may have, 110'])
})

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { thisProcess } from '@coldboot/core/internal'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { finishAbandoned } from './abandoned-records.ts'

/** Identity of a process that has ended: a process has another identity if it started at another time. */
const GONE = thisProcess().replace(/-\d+-/, '-1-')
/** Identity of a process that may still run: those of other pid namespaces are not visible. */
const RUNNING = thisProcess().replace(/\d+$/, '1')

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Creates the folder of a machine during a test. */
function folder(name: string, meta: object): string {
  const directory = join(root, 'a.test.ts', name, 'vm')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'console.log'), 'booting\n')
  writeFileSync(join(directory, 'console.log.timing'), '1.500000 8\n')
  writeFileSync(join(directory, 'timeline.jsonl'), '{"time":2.5,"kind":"send","text":"x"}\n')
  const common = { name: 'vm', started: '2026-01-02T03:04:05.678Z', test: { file: 'a.test.ts', names: [name] } }
  writeFileSync(join(directory, 'meta.json'), JSON.stringify({ ...common, ...meta }))
  return directory
}

const metaOf = (directory: string): unknown => JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8'))

test('completes the files of an ended process once', () => {
  const directory = folder('killed', { writer: GONE })
  expect(finishAbandoned(root, { maxBytes: 4096 })).toEqual([directory])
  expect(readFileSync(join(directory, 'console.txt'), 'utf8')).toBe('[   1.500] booting\n')
  const meta = metaOf(directory)
  expect(meta).toMatchObject({
    duration: 2500,
    errors: ['The process that ran the test ended before the test did.'],
    files: expect.arrayContaining(['console.txt', 'console.cast', 'console.log', 'meta.json']),
  })
  expect(meta).not.toHaveProperty('writer')
  expect(finishAbandoned(root, { maxBytes: 4096 })).toEqual([])
})

test('skips folders that are complete, still being written, or without valid meta.json', () => {
  folder('complete', { files: [] })
  folder('running', { writer: RUNNING })
  folder('other', { writer: 12 })
  writeFileSync(join(folder('garbled', {}), 'meta.json'), '{"writer":')
  expect(finishAbandoned(root, { maxBytes: 4096 })).toEqual([])
  expect(finishAbandoned(join(root, 'missing'), { maxBytes: 4096 })).toEqual([])
})

test('treats worker threads of this process as ended', () => {
  const directory = folder('thread', { writer: thisProcess() })
  expect(finishAbandoned(root, { maxBytes: 4096 })).toEqual([directory])
})

test('warns about a folder that cannot be completed and completes the others', () => {
  const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => warning.mockRestore())
  const stuck = folder('a-stuck', { writer: GONE })
  // The new `meta.json` is written to this path first.
  mkdirSync(join(stuck, 'meta.json.new'))
  const directory = folder('b-killed', { writer: GONE })
  expect(finishAbandoned(root, { maxBytes: 4096 })).toEqual([directory])
  expect(warning).toHaveBeenCalledWith(
    expect.stringMatching(/a-stuck\/vm could not be written: EISDIR/),
    'ColdbootWarning',
  )
})

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MachineEvent, MachineOptions, ObservedMachine, VM } from '@coldboot/core'
import { thisProcess } from '@coldboot/core/internal'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { resolveArtifacts } from './artifact-options.ts'
import { Film } from './film.ts'
import { MachineRecorder } from './machine-recorder.ts'
import { Redactor } from './redactor.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const attempt = {
  root: '/p',
  home: '.vitest',
  file: 'a.test.ts',
  names: ['greets'],
  duplicateIndex: 0,
  repeat: 0,
  retry: 0,
}

function recorderOf(redact: readonly (string | RegExp)[] = []): MachineRecorder {
  const artifacts = resolveArtifacts({ redact })
  return new MachineRecorder({ directory, attempt, artifacts, redactor: new Redactor(redact) })
}

/** Starts a fake machine with the options of the recorder. @returns emits an event of the machine */
function start(
  recorder: MachineRecorder,
  more: Partial<ObservedMachine> = {},
): (event: MachineEvent, timeMs: number) => void {
  const logFile = join(directory, 'console.log')
  writeFileSync(logFile, '')
  writeFileSync(`${logFile}.timing`, '')
  const machine: ObservedMachine = {
    name: 'vm',
    arch: 'x86_64',
    accelerator: 'tcg',
    memoryMib: 256,
    cpus: 1,
    qemuVersion: '7.2.0',
    start: 'cold',
    commandLine: ['qemu', '-append', 'token'],
    commandLineQuoted: 'qemu -append token',
    logFile,
    devices: [],
    ...more,
  }
  const { observer } = recorder.watching<{ observer?: (machine: ObservedMachine) => typeof tell }>({})
  const tell = observer?.(machine) as (event: MachineEvent, timeMs: number) => void
  return tell
}

const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
const linesOf = (name: string): unknown[] =>
  read(name)
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))

test('writes each event at once', () => {
  const tell = start(recorderOf())
  tell({ kind: 'qmp', direction: 'sent', message: { execute: 'cont' } }, -1.5)
  tell({ kind: 'send', data: 'ls\n' }, 250)
  tell({ kind: 'result', id: 1, command: 'false', via: 'agent', exitCode: 1, duration: 3 }, 500)
  expect(linesOf('qmp.jsonl')).toEqual([{ time: -0.0015, direction: 'sent', message: { execute: 'cont' } }])
  expect(linesOf('timeline.jsonl')).toEqual([
    { time: 0.25, kind: 'send', text: 'ls\n' },
    { time: 0.5, kind: 'result', text: 'exit code 1: false', id: 'command-1', exitCode: 1, duration: 3, ok: false },
  ])
  expect(JSON.parse(read('meta.json'))).toMatchObject({ name: 'vm', memory: '256M', writer: thisProcess() })
  expect(statSync(join(directory, 'command-line.sh')).mode & 0o777).toBe(0o700)
})

test('records the path of the kernel, if QEMU starts one', () => {
  start(recorderOf(), { commandLine: ['qemu', '-kernel', '/boot/vmlinuz-6.1.0', '-append', ''] })
  expect(JSON.parse(read('meta.json'))).toMatchObject({ kernel: '/boot/vmlinuz-6.1.0' })
  start(recorderOf())
  expect(JSON.parse(read('meta.json'))).not.toHaveProperty('kernel')
})

test('records the machine started from a template, and ignores later events of the template', async () => {
  const recorder = recorderOf()
  const template = start(recorder)
  template({ kind: 'send', data: 'of the boot' }, 1)
  const clone = start(recorder, { start: 'template' })
  clone({ kind: 'send', data: 'of the test' }, 1)
  template({ kind: 'exit', reason: 'host-qmp-quit', message: 'the boot is over' }, 2)
  clone({ kind: 'exit', reason: 'guest-shutdown', message: 'the guest powered off' }, 1234)
  await recorder.finish([])
  expect(linesOf('timeline.jsonl')).toMatchObject([{ text: 'of the test' }, { text: 'the guest powered off' }])
  expect(JSON.parse(read('meta.json'))).toMatchObject({
    start: 'template',
    duration: 1234,
    exitReason: 'guest-shutdown',
  })
})

test('removes secrets from all files, even if they are typed in several inputs', async () => {
  const recorder = recorderOf(['hunter2', /tok\w+/])
  const tell = start(recorder)
  for (const key of 'a hunter2 b') tell({ kind: 'send', data: key }, 1)
  tell({ kind: 'qmp', direction: 'received', message: { return: { deep: ['hunter2'] } } }, 2)
  recorder.noteError('is hunter2')
  const record = await recorder.finish(['was hunter2'])
  expect(record?.commandLine).toBe('qemu -append [redacted]')
  for (const name of record?.files ?? []) expect(read(name)).not.toMatch(/hunter2|token/)
  const typed = linesOf('timeline.jsonl').filter((line) => (line as { kind: string }).kind === 'send')
  expect(typed.map((line) => (line as { text: string }).text).join('')).toBe('a [redacted] b')
})

test('omits keys that were typed on a screen if there are secrets', async () => {
  const keys = {
    execute: 'input-send-event',
    arguments: { device: 'display0', events: [{ data: { down: true } }] },
    id: 7,
  }
  const tell = start(recorderOf())
  tell({ kind: 'input', text: 'typed "a text"' }, 1)
  tell({ kind: 'qmp', direction: 'sent', message: keys }, 1)
  expect(linesOf('timeline.jsonl')).toMatchObject([{ kind: 'input', text: 'typed "a text"' }])
  expect(linesOf('qmp.jsonl')).toMatchObject([{ message: keys }])

  const secretly = start(recorderOf(['hunter2']))
  secretly({ kind: 'input', text: 'typed "hun\n"' }, 1)
  secretly({ kind: 'input', text: 'pressed enter' }, 1)
  secretly({ kind: 'qmp', direction: 'sent', message: keys }, 1)
  expect(linesOf('timeline.jsonl')).toMatchObject([{ text: 'typed a text, left out' }, { text: 'pressed enter' }])
  expect(linesOf('qmp.jsonl')).toMatchObject([{ message: { execute: 'input-send-event', id: 7 } }])
  expect(read('qmp.jsonl')).not.toContain('down')
})

test('turns file system errors into warnings', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const recorder = recorderOf()
  start(recorder)({ kind: 'send', data: 'x' }, 1)
  rmSync(join(directory, 'console.log'))
  const record = await recorder.finish([])
  expect(record?.files).toContain('timeline.jsonl')
  expect(JSON.parse(read('meta.json'))).toMatchObject({ cut: { 'console.txt': expect.stringContaining('ENOENT') } })
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('console.txt is incomplete'), 'ColdbootWarning')
  warn.mockRestore()
})

test.each([[[]], [['failed']]])('a folder that was removed does not fail a test with the errors %o', async (errors) => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const recorder = recorderOf()
  start(recorder)({ kind: 'send', data: 'x' }, 1)
  rmSync(directory, { recursive: true })
  expect(await recorder.finish(errors)).toMatchObject({ name: 'vm', files: [] })
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('meta.json is incomplete: ENOENT'), 'ColdbootWarning')
})

test('a film that cannot be removed does not fail a test', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const artifacts = resolveArtifacts({ film: 'on-failure' })
  const recorder = new MachineRecorder({ directory, attempt, artifacts, redactor: new Redactor([]) })
  start(recorder)
  const screenshot = (): never => {
    throw new Error('no display')
  }
  const discard = vi.spyOn(Film.prototype, 'discard').mockRejectedValue(new Error('EBUSY'))
  onTestFinished(() => discard.mockRestore())
  const display = { name: 'display', screenshot, of: screenshot }
  recorder.film({ spec: { devices: [display] } } as unknown as VM)
  expect(await recorder.finish([])).toMatchObject({ name: 'vm' })
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('film is incomplete: EBUSY'), 'ColdbootWarning')
})

test('keeps the journal of the guest without secrets, or the reason why it is missing', async () => {
  const recorder = recorderOf(['hunter2'])
  start(recorder)
  await recorder.keepJournal({ readJournal: async () => 'login with hunter2\n' } as unknown as VM)
  expect(read('journal.txt')).toBe('login with [redacted]\n')
  expect(statSync(join(directory, 'journal.txt')).mode & 0o777).toBe(0o600)
  await recorder.keepJournal({ readJournal: () => Promise.reject(new Error('journalctl hangs')) } as unknown as VM)
  const record = await recorder.finish(['failed'])
  expect(record?.files.slice(0, 2)).toEqual(['console.txt', 'journal.txt'])
  expect(JSON.parse(read('meta.json'))).toMatchObject({ cut: { 'journal.txt': 'could not be read: journalctl hangs' } })
})

test('requests a memory dump after a panic, and records why it is missing', async () => {
  const artifacts = resolveArtifacts({ vmcore: true, maxBytes: 5000 })
  const recorder = new MachineRecorder({ directory, attempt, artifacts, redactor: new Redactor([]) })
  expect(recorder.watching<Pick<MachineOptions, 'vmcore'>>({}).vmcore).toEqual({
    path: join(directory, 'vmcore'),
    maxBytes: 5000,
  })
  expect(recorder.watching<Pick<MachineOptions, 'vmcore'>>({ vmcore: '/own' }).vmcore).toBe('/own')
  const tell = start(recorder)
  tell({ kind: 'dump', file: '/x/vmcore', bytes: 12, duration: 3 }, 500)
  tell({ kind: 'dump', file: '/x/vmcore', problem: 'no space', duration: 3 }, 750)
  expect(linesOf('timeline.jsonl')).toEqual([
    { time: 0.5, kind: 'event', text: 'memory dumped to vmcore: 12 bytes', duration: 3, ok: true },
    { time: 0.75, kind: 'event', text: 'no space', duration: 3, ok: false },
  ])
  await recorder.finish(['failed'])
  expect(JSON.parse(read('meta.json'))).toMatchObject({ cut: { vmcore: 'left out: no space' } })
})

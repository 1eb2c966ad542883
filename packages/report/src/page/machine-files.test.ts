import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { castOf, jsonLines, SampleProject, samplePicture } from '../../test/sample-run.ts'
import { REPLAY_LIMIT } from './console-replay.ts'
import { readMachine } from './machine-files.ts'

let project: SampleProject

beforeEach(() => {
  project = new SampleProject()
  onTestFinished(() => project[Symbol.dispose]())
})

test('reads a missing folder as a machine with only a name', () => {
  expect(readMachine(join(project.root, 'gone', 'server'))).toEqual({
    directory: join(project.root, 'gone', 'server'),
    name: 'server',
    facts: [],
    cut: [],
    commandLine: undefined,
    replay: undefined,
    lines: [],
    linesCut: 0,
    steps: [],
    qmp: [],
    screens: [],
    film: [],
    files: [],
  })
})

test('reads incomplete files of a killed worker as far as possible', () => {
  const machine = readMachine(
    project.machine('vm', {
      'console.cast': `${castOf([0.5, 'o', 'one\r\n'])}[0.7,"o","tw`,
      'timeline.jsonl': `${jsonLines({ time: 1, kind: 'send', text: 'x' })}{"time":2,"kin`,
      'qmp.jsonl': `${jsonLines({ time: 1, direction: 'sent', message: { execute: 'quit' } })}nonsense`,
      'meta.json': '{"name":"v',
      'screen.png': 'not a picture',
    }),
  )
  expect(machine.replay?.cast).toBe(jsonLines({ version: 2, width: 80, height: 24 }, [0.5, 'o', 'one\r\n']))
  expect(machine.steps).toMatchObject([{ time: 1, kind: 'send', text: 'x' }])
  expect(machine.qmp).toMatchObject([{ time: 1, message: { execute: 'quit' } }])
  expect(machine).toMatchObject({ name: 'vm', facts: [], screens: [] })
})

test('skips files and values of unexpected types and sizes', () => {
  const directory = project.machine('vm', {
    'console.cast': jsonLines({ version: 2, width: 1e9, height: 'x' }, [-1, 'o', 'x'], [1, 'o', 2], [2, 'o', 'shown']),
    'timeline.jsonl': jsonLines(null, 1, [], { time: '1', kind: 'x' }, { time: 1, kind: 'x', text: {}, ok: 'no' }),
    'meta.json': JSON.stringify({ name: 3, arch: null, cpus: 2, exit: { reason: 'panic', code: null } }),
  })
  mkdirSync(join(directory, 'console.txt'))
  const machine = readMachine(directory)
  expect(machine.replay?.cast).toBe(jsonLines({ version: 2, width: 80, height: 24 }, [2, 'o', 'shown']))
  expect(machine.steps).toEqual([{ time: 1, kind: 'x', text: '' }])
  expect(machine.facts).toEqual([
    ['CPUs', '2'],
    ['End', 'reason panic'],
  ])
  expect(machine.files.map(({ name }) => name)).toEqual(['console.cast', 'meta.json', 'timeline.jsonl'])
})

test.each([
  ['/boot/vmlinuz-6.1.0-57-amd64', 'vmlinuz-6.1.0-57-amd64'],
  ['/linux-6.12/arch/x86/boot/bzImage', '/linux-6.12/arch/x86/boot/bzImage'],
])('shows the kernel %s by its name if that has a version', (kernel, shown) => {
  const directory = project.machine('vm', { 'meta.json': JSON.stringify({ name: 'vm', kernel }) })
  expect(readMachine(directory).facts).toEqual([['Kernel', shown]])
})

test('reads the end of a long console', () => {
  const events = Array.from({ length: 40_000 }, (_, index) => [index / 1000, 'o', `line number ${index}\r\n`] as const)
  const directory = project.machine('vm', {
    'console.cast': castOf(...events),
    'console.txt': events.map(([time, , text]) => `[${time.toFixed(6)}] ${text.trim()}\n`).join(''),
  })
  const { replay, lines, linesCut } = readMachine(directory)
  expect(replay?.cast.length).toBeLessThan(REPLAY_LIMIT + 1024)
  expect(replay?.cast).toMatch(/^\{"version":2,.*\n\[[\d.]+,"o","… earlier output is in the files/)
  expect(replay?.cast).toContain('line number 39999')
  expect(lines.at(-1)).toEqual({ time: 39.999, text: 'line number 39999' })
  expect(linesCut).toBeGreaterThan(500_000)
})

test('reads the log without times if there is no recording', () => {
  const machine = readMachine(project.machine('vm', { 'console.log': 'one\r\r\ntwo\r\n' }))
  expect(machine.replay).toBeUndefined()
  expect(machine.lines).toEqual([
    { time: undefined, text: 'one' },
    { time: undefined, text: 'two' },
  ])
})

test('reads only PNG files up to the size limit as screenshots', () => {
  const picture = samplePicture()
  const compared = { 'menu.actual.png': picture, 'menu.difference.png': picture, 'menu.expected.png': picture }
  const screens = { 'screen.png': picture, 'screen-2.png': picture }
  const directory = project.machine('vm', { ...screens, ...compared, 'other.png': picture })
  const names = readMachine(directory).screens.map(({ name }) => name)
  expect(names).toEqual([...Object.keys(compared), 'screen-2.png', 'screen.png'])
  for (const name of Object.keys(compared)) rmSync(join(directory, name))
  writeFileSync(join(directory, 'screen.png'), Buffer.concat([picture, Buffer.alloc(3 * 1024 ** 2)]))
  writeFileSync(join(directory, 'screen-2.png'), 'not a picture')
  expect(readMachine(directory).screens).toEqual([])
})

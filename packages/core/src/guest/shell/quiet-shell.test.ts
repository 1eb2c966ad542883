import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { terminalShell } from '../../../test/terminal-shell.ts'
import { Transcript } from '../../console/log/transcript.ts'
import { ConsoleShell } from './console-shell.ts'
import { type QuietConsole, quietShell } from './quiet-shell.ts'

test('a quiet shell leaves its commands out of the log and the events, unless they fail', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'console.log')
  const terminal = await terminalShell('dash -i')
  onTestFinished(() => terminal[Symbol.asyncDispose]())
  const transcript = new Transcript({ file: { path } })
  const typed: boolean[] = []
  const console: QuietConsole = {
    hold: () => transcript.hold(),
    send: (data, isAnswer) => {
      typed.push(isAnswer)
      terminal.send(data)
    },
    watch: (watcher) => terminal.watch(watcher),
  }
  terminal.watch((chunk) => {
    transcript.write(chunk)
    return 0
  })
  const options = { scale: (milliseconds: number) => milliseconds, over: terminal.over }
  const shell = new ConsoleShell({
    ...options,
    console: { watch: console.watch, send: (data) => console.send(data, false) },
  })
  const quiet = quietShell(shell, { ...options, console })
  const request = { timeoutMs: 20_000, cwd: undefined, env: {}, input: new Uint8Array(0), signal: undefined }

  expect(shell.hasAnswered).toBe(false)
  const first = shell.run({ ...request, command: 'sleep 0.2; echo of-the-test' })
  const { stdout } = await quiet.run({ ...request, command: 'echo of-the-report' })
  expect([Buffer.from((await first).stdout).toString(), Buffer.from(stdout).toString()]).toEqual([
    'of-the-test\n',
    'of-the-report\n',
  ])
  expect(shell.hasAnswered).toBe(true)
  expect(readFileSync(path, 'latin1')).toContain('of-the-test')
  expect(readFileSync(path, 'latin1')).not.toContain('of-the-report')
  expect(typed.at(0)).toBe(false)
  expect(typed.at(-1)).toBe(true)

  await quiet.run({ ...request, command: 'echo so-far; exec sleep 1000', timeoutMs: 300 })
  expect(readFileSync(path, 'latin1')).toContain('sleep 1000')
})

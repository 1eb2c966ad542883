import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run, StepError } from './commands.mjs'

const node = (code: string) => [process.execPath, '-e', code]
const options = { env: process.env }

describe('run', () => {
  test('resolves to the output of the command, and reports its last line', async () => {
    const lines: string[] = []
    const report = (line: string) => lines.push(line)
    expect(await run(node('console.log("one\\ntwo\\n")'), { ...options, report })).toBe('one\ntwo\n\n')
    expect(lines.at(-1)).toBe('two')
  })

  test('rejects with the exit code, the command and all of its output', async () => {
    const error = await run(node('console.log("out"); console.error("err"); process.exit(3)'), options).catch(
      (it) => it,
    )
    expect(error).toBeInstanceOf(StepError)
    for (const part of ['exit code 3', process.execPath, 'out', 'err']) expect(error.message).toContain(part)
  })

  test('rejects with the name of a missing program', async () => {
    await expect(run(['no-such-program-here'], options)).rejects.toThrow('no-such-program-here could not be started')
  })

  test('closes the input of the command', async () => {
    expect(await run(node('process.stdin.on("end", () => console.log("end")).resume()'), options)).toBe('end\n')
  })
})

test.for([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('passes %s to the command, which can clean up, and ends the process with %i', async ([signal, code]) => {
  const inner = `
    for (const it of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(it, () => { console.log('cleaned up after ' + it); process.exit() })
    setInterval(() => {}, 1e6)
    console.log('ready')`
  const outer = `
    import { endOnSignals, interrupted, runInForeground } from ${JSON.stringify(new URL('./commands.mjs', import.meta.url))}
    endOnSignals()
    await runInForeground(${JSON.stringify(node(inner))}, { env: process.env, cwd: '.' })
    process.exitCode = interrupted()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', outer], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  const [first] = await once(child.stdout.setEncoding('utf8'), 'data')
  expect(first).toBe('ready\n')
  child.kill(signal)
  expect(await text(child.stdout)).toBe(`cleaned up after ${signal}\n`)
  expect(await exit).toEqual([code, null])
})

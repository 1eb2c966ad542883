import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { ConsolePipe } from './console-pipe.ts'

const unsupported = process.platform === 'linux' ? '' : ' (named pipes are only used on Linux)'

/** A pipe and the ends that QEMU opens. */
async function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pipe = await ConsolePipe.create(folder)
  if (pipe === undefined) throw new Error('mkfifo failed')
  onTestFinished(() => void pipe.destroy())
  const open = (suffix: string): number => openSync(`${pipe.path}.${suffix}`, constants.O_RDWR | constants.O_NONBLOCK)
  return { pipe, output: () => open('out'), input: () => open('in') }
}

test.skipIf(unsupported !== '')(`takes 60,000 single bytes that are not read yet${unsupported}`, async () => {
  const { pipe, output } = await opened()
  const fd = output()
  for (let byte = 0; byte < 60_000; byte++) expect(writeSync(fd, 'x')).toBe(1)
  closeSync(fd)
  expect((await buffer(pipe)).toString()).toBe('x'.repeat(60_000))
})

test.skipIf(unsupported !== '')(`passes input on, and ends when QEMU has exited${unsupported}`, async () => {
  const { pipe, output, input } = await opened()
  const [out, into] = [output(), input()]
  await new Promise((done) => pipe.write('typed', done))
  const typed = Buffer.alloc(10)
  expect(typed.toString('utf8', 0, readSync(into, typed))).toBe('typed')
  writeSync(out, 'last words')
  for (const fd of [out, into]) closeSync(fd)
  pipe.finish()
  expect((await buffer(pipe)).toString()).toBe('last words')
  expect(pipe.destroyed).toBe(true)
})

test.skipIf(unsupported !== '')(`ends when QEMU has exited before it opened the pipe${unsupported}`, async () => {
  const { pipe } = await opened()
  pipe.finish()
  expect(await buffer(pipe)).toHaveLength(0)
})

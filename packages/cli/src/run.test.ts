/** Tests of the built command in a process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'

const COMMAND = fileURLToPath(new URL('../dist/run.js', import.meta.url))

/** @param stdout a descriptor; by default, a pipe that is closed */
async function run(args: readonly string[], stdout?: number): Promise<{ code: number | null; err: string }> {
  const cache = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  vi.stubEnv('COLDBOOT_CACHE', cache)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    rmSync(cache, { recursive: true })
  })
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
  })
  child.stdout?.destroy()
  const [err, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'close')])
  return { code: code as number | null, err }
}

test.skipIf(process.platform !== 'linux').each([[['--help']], [['templates', 'export', '--all']]])(
  'prints why the output of %o could not be written',
  async (args) => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const { code, err } = await run(args, full)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^coldboot: .*ENOSPC.*\n$/) as string })
  },
)

test('succeeds if the reader of a listing does not read all of it', async () => {
  expect(await run(['--help'])).toEqual({ code: 0, err: '' })
})

test('fails if the reader of an archive does not read all of it', async () => {
  const { code, err } = await run(['templates', 'export', '--all'])
  expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^coldboot: .*EPIPE.*\n$/) as string })
})

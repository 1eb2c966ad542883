import { describe, expect, onTestFinished, test } from 'vitest'
import { type Disturbance, type TerminalShell, terminalShell } from '../../../test/terminal-shell.ts'
import type { CommandOutcome } from '../command-transport.ts'
import type { CommandRequest } from '../run-options.ts'
import { ConsoleShell } from './console-shell.ts'

const SHELLS = {
  dash: 'dash -i',
  bash: 'bash --norc -i',
  busybox: 'busybox sh -i',
  'bash as sh': 'bash --posix --norc -i',
}

interface Setup {
  readonly terminal: TerminalShell
  readonly run: (command: string, request?: Partial<CommandRequest>) => Promise<CommandOutcome>
}

async function setUp(command: string, disturb?: Disturbance): Promise<Setup> {
  const terminal = await terminalShell(command, disturb)
  onTestFinished(() => terminal[Symbol.asyncDispose]())
  const shell = new ConsoleShell({ console: terminal, scale: (milliseconds) => milliseconds, over: terminal.over })
  const defaults = { timeoutMs: 20_000, cwd: undefined, env: {}, input: new Uint8Array(0), signal: undefined }
  return { terminal, run: (text, request) => shell.run({ ...defaults, command: text, ...request }) }
}

const texts = ({ stdout, stderr, exitCode, failure }: CommandOutcome): unknown[] => [
  exitCode,
  Buffer.from(stdout).toString(),
  Buffer.from(stderr).toString(),
  failure?.code,
]

describe.each(Object.entries(SHELLS))('commands in %s', (_name, command) => {
  test('return exit code and both outputs exactly', async () => {
    const { run } = await setUp(command)
    expect(texts(await run('echo out; echo err >&2; exit 3'))).toEqual([3, 'out\n', 'err\n', undefined])
    expect(texts(await run('true'))).toEqual([0, '', '', undefined])
    expect(texts(await run('printf " a\\n\\n"'))).toEqual([0, ' a\n\n', '', undefined])
    expect(texts(await run('printf "ä\\r\\n\\t\\033[1m😀"'))).toEqual([0, 'ä\r\n\t\x1b[1m😀', '', undefined])
    expect(texts(await run('kill -9 $$'))).toEqual([137, '', '', undefined])
  })

  test('return every byte of their output', async () => {
    const { run } = await setUp(command)
    const bytes = Array.from({ length: 256 }, (_, byte) => byte)
    const { stdout } = await run(`printf '${bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`)
    expect([...stdout]).toEqual(bytes)
  })

  test('read their input, short and long, get their variables and directory', async () => {
    const { run } = await setUp(command)
    const short = Buffer.from("it's\nö\0!\\n")
    expect([...(await run('cat', { input: short })).stdout]).toEqual([...short])
    const long = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index * index))
    expect(Buffer.from((await run('cat', { input: long })).stdout).equals(long)).toBe(true)
    const env = { A: "x'y", B: 'é!\n' }
    expect(texts(await run('printf %s "$A$B$PWD"', { env, cwd: '/usr/bin' }))[1]).toBe("x'yé!\n/usr/bin")
    expect(texts(await run('pwd', { cwd: '/no such' }))).toEqual([undefined, '', '', 'COMMAND_NOT_STARTED'])
  })

  test.each([600, 5_000, 200_000])('a command of %d characters is run', async (length) => {
    const { run } = await setUp(command)
    expect(texts(await run(`: ${'x'.repeat(length)} "don't"\necho "ende!"\n`))).toEqual([0, 'ende!\n', '', undefined])
  })

  test('a command that never ends is killed, and the shell stays usable', async () => {
    const { run } = await setUp(command)
    const endless = await run('echo before; echo why >&2; exec sleep 1000', { timeoutMs: 300 })
    expect(texts(endless)).toEqual([undefined, 'before\n', 'why\n', 'COMMAND_TIMEOUT'])
    const stubborn = await run("trap '' INT QUIT TERM; echo before; while :; do sleep 1; done", { timeoutMs: 300 })
    expect(texts(stubborn)).toEqual([undefined, 'before\n', '', 'COMMAND_TIMEOUT'])
    expect(texts(await run('echo on'))).toEqual([0, 'on\n', '', undefined])
    const controller = new AbortController()
    const running = run('exec sleep 1000', { signal: AbortSignal.timeout(300) })
    const queued = run('echo never', { signal: controller.signal })
    const next = run('echo next')
    controller.abort(new Error('enough'))
    const settled: string[] = []
    void running.then(() => settled.push('running'))
    expect((await queued).failure?.message).toBe('was aborted before its start: enough')
    expect(settled).toEqual([])
    expect((await running).failure?.message).toMatch(/^was aborted and killed: /)
    expect(texts(await next)).toEqual([0, 'next\n', '', undefined])
  })

  test.each([
    [
      'noclobber, nounset and xtrace, a cd that lists and an alias of printf',
      'set -Cux; cd() { command cd "$@" && ls; }; alias printf=\'printf --\'',
    ],
    ['errexit', 'set -e'],
    [
      'POSIXLY_CORRECT, a function called printf',
      'POSIXLY_CORRECT=1; export POSIXLY_CORRECT; printf() { echo "mine $*"; }',
    ],
  ])('are right under %s', async (_settings, typed) => {
    const { run, terminal } = await setUp(command)
    terminal.send(`${typed}\n`)
    for (const input of ['first', 'second']) {
      expect(texts(await run('cat; echo err >&2', { input: Buffer.from(input) }))).toEqual([
        0,
        input,
        'err\n',
        undefined,
      ])
    }
    const long = Buffer.from('x'.repeat(10_000))
    expect((await run('cat', { input: long })).stdout.length).toBe(10_000)
    expect(texts(await run('pwd', { cwd: '/usr/bin' }))).toEqual([0, '/usr/bin\n', '', undefined])
    expect(texts(await run('echo "é"; false'))).toEqual([1, 'é\n', '', undefined])
    expect(texts(await run('pwd', { cwd: '/no such' }))).toEqual([undefined, '', '', 'COMMAND_NOT_STARTED'])
  })

  test('run one after the other, without a wait for background processes', async () => {
    const { run } = await setUp(command)
    const results = await Promise.all(['sleep 1000 & echo 1', 'echo 2', 'echo 3'].map((text) => run(text)))
    expect(results.map(({ stdout }) => Buffer.from(stdout).toString())).toEqual(['1\n', '2\n', '3\n'])
  })

  test('run in a nested shell', async () => {
    const { run, terminal } = await setUp(command)
    expect((await run('echo 1')).exitCode).toBe(0)
    terminal.send(`exec ${command}\n`)
    expect(texts(await run('echo 2'))).toEqual([0, '2\n', '', undefined])
  })
})

describe('output of other origin', () => {
  // Inserts messages between any two bytes, like the kernel.
  const noisy = (every: number): Disturbance => {
    let count = 0
    return (chunk) => {
      const pieces: Buffer[] = []
      for (let at = 0; at < chunk.length; at += every) {
        const stamp = `[${String((count += 7)).padStart(5)}.123456]`
        pieces.push(chunk.subarray(at, at + every), Buffer.from(`${stamp} usb ${count}: noise\r\n`))
      }
      return Buffer.concat(pieces)
    }
  }

  test.each([3, 17, 100])('between each %d bytes does no harm', async (every) => {
    const { run } = await setUp(SHELLS.dash, noisy(every))
    expect(texts(await run('echo out; echo err >&2'))).toEqual([0, 'out\n', 'err\n', undefined])
    const { stdout } = await run('i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i; done')
    expect(Buffer.from(stdout).toString()).toBe(Array.from({ length: 2000 }, (_, i) => `line ${i + 1}\n`).join(''))
  })

  test('output of other origin that looks like a kernel message is kept if it is from the command', async () => {
    const { run } = await setUp(SHELLS.bash)
    expect(texts(await run('echo "[    1.000000] Linux version"'))[1]).toBe('[    1.000000] Linux version\n')
  })

  test('output of other origin that cannot be distinguished causes an error, never a wrong output', async () => {
    const { run } = await setUp(SHELLS.bash, (chunk) =>
      Buffer.from(chunk.toString('latin1').replaceAll('\x1d', '\x1dx'), 'latin1'),
    )
    expect((await run('echo out')).failure?.code).toBe('COMMAND_GARBLED')
  })
})

describe('a console', () => {
  test('a console without a shell is distinguished from a command that does not end', async () => {
    const { run } = await setUp('sh -c "echo login:; cat"')
    expect((await run('echo 1', { timeoutMs: 200 })).failure).toMatchObject({ code: 'SHELL_SILENT' })
  })

  test('whose machine ends fails the command', async () => {
    const { run, terminal } = await setUp(SHELLS.dash)
    await run('true')
    const running = run('kill -9 $PPID; exec sleep 1000')
    expect((await running).failure).toMatchObject({
      code: 'COMMAND_LOST',
      message: expect.stringContaining('the shell ended'),
    })
    expect((await run('true')).failure?.code).toBe('COMMAND_LOST')
    await terminal.over
  })
})

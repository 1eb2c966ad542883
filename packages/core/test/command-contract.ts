/** Test suite of `vm.run` for all transports. */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Guest } from '../src/guest/guest.ts'
import type { GuestTransport } from '../src/guest/run-options.ts'

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')

/**
 * Sizes of large outputs, inputs and commands. The guest agent transfers pieces of 4 MiB. A console is much slower, so
 * its sizes are smaller; the tests of its shell on a pseudo-terminal use longer commands.
 */
const FAST = { lines: 150_000, outputBytes: 5_000_000, inputBytes: 100_000, characters: 150_000 }
const SLOW = { lines: 50_000, outputBytes: 600_000, inputBytes: 40_000, characters: 20_000 }

/** Options of {@link commandContract}. */
export interface ContractOptions {
  /** Whether the guest has its own writable kernel log. @default true */
  readonly kernelLog?: boolean
}

/**
 * @param via transport to use
 * @param machine running machine under test; its guest has a POSIX shell, `head`, `md5sum`, `seq` and `sleep`
 */
export function commandContract(
  via: GuestTransport,
  machine: () => Pick<Guest, 'run'>,
  { kernelLog = true }: ContractOptions = {},
): void {
  const { lines, outputBytes, inputBytes, characters } = via === 'shell' ? SLOW : FAST
  const run = <const Options extends object>(command: string | readonly string[], options?: Options) =>
    machine().run(command, { via, ...options } as Options & { readonly via: GuestTransport })

  describe(`a command via the ${via}`, () => {
    test('a command returns its exit code and complete outputs', async () => {
      const result = await run('echo out; echo err >&2; exit 3', { check: false })
      expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', via })
      expect(result.duration).toBeGreaterThan(0)
      expect(await run('exit 255', { check: false })).toMatchObject({ exitCode: 255, stdout: '', stderr: '' })
    })

    test('a command that a signal ended has 128 plus its number', async () => {
      expect(await run('kill -9 $$', { check: false })).toMatchObject({ exitCode: 137 })
    })

    test('a command that fails rejects with all details', async () => {
      await expect(run('echo "what is wrong" >&2; exit 7')).rejects.toMatchObject({
        name: 'GuestCommandError',
        code: 'COMMAND_FAILED',
        exitCode: 7,
        stderr: 'what is wrong\n',
        stdout: '',
        via,
        message: expect.stringMatching(/echo "what is wrong".*exit code 7[^]*Standard error:\n {2}what is wrong/),
      })
    })

    test('a command that does not exist, or has a syntax error, fails', async () => {
      expect(await run('no-such-program', { check: false })).toMatchObject({
        exitCode: 127,
        stderr: expect.stringContaining('not found'),
      })
      const broken = await run('if', { check: false })
      expect(broken.exitCode).toBe(2)
      expect(broken.stderr).not.toBe('')
    })

    test('a command can be a list of words', async () => {
      const words = ["it's", 'a "b"', '$c', '`d`', '\\', '!', 'é\n', '', '*']
      expect((await run(['printf', '%s|', ...words])).stdout).toBe(words.map((word) => `${word}|`).join(''))
    })

    test('a command returns every byte', async () => {
      const bytes = Array.from({ length: 256 }, (_, byte) => byte)
      const script = `printf '${bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`
      const { stdout } = await run(script, { encoding: 'buffer' })
      expect([...stdout]).toEqual(bytes)
      expect((await run('printf "ä\\r\\n\\n"')).stdout).toBe('ä\r\n\n')
    })

    test('a command returns large output completely', async () => {
      const command = `seq 1 ${lines}; yes 0123456789abcdef | head -c ${outputBytes}`
      const { stdout } = await run(command, { timeout: 60_000 })
      const numbers = Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('')
      const expected = numbers + '0123456789abcdef\n'.repeat(Math.ceil(outputBytes / 17)).slice(0, outputBytes)
      expect(stdout.length).toBe(expected.length)
      expect(stdout === expected).toBe(true)
    })

    test('a command reads its input up to the end', async () => {
      const input = 'some\0text\x04\x03\r\n! é'
      expect((await run('cat', { input })).stdout).toBe(input)
      const bytes = randomBytes(inputBytes)
      expect((await run('md5sum', { input: bytes })).stdout).toContain(md5(bytes))
      expect((await run('cat')).stdout).toBe('')
    })

    test('a command has the given variables and directory', async () => {
      const env = { A: "x'y", B: '$HOME é!\n' }
      expect((await run('printf "%s" "$A$B"; pwd', { env, cwd: '/dev' })).stdout).toBe(`${env.A}${env.B}/dev\n`)
      await expect(run('pwd', { cwd: '/no such' })).rejects.toMatchObject({
        code: 'COMMAND_NOT_STARTED',
        message: expect.stringContaining('/no such'),
      })
    })

    test.each([5_000, characters])('a command may have %d characters', async (length) => {
      const { stdout } = await run(`: ${'x'.repeat(length)} "don't"\necho "done!"\n`, { timeout: 60_000 })
      expect(stdout).toBe('done!\n')
    })

    test('a command that does not end is killed with its children, and the next one runs', async () => {
      const unique = `1${randomInt(1e6, 1e7)}`
      const endless = run(`echo before; sleep ${unique}; echo after`, { timeout: 1_500 })
      await expect(endless).rejects.toMatchObject({
        code: 'COMMAND_TIMEOUT',
        stdout: 'before\n',
        exitCode: undefined,
        message: expect.stringMatching(/sleep .* did not end within .*s and was killed/),
      })
      // The brackets prevent the search from finding itself.
      const search = `grep -ls '[1]${unique.slice(1)}' /proc/[0-9]*/cmdline; true`
      expect((await run(search)).stdout).toBe('')
      const flood = run('yes', { timeout: 1_000 })
      // On a fast transport, it soon exceeds the output limit.
      await expect(flood).rejects.toMatchObject({
        code: expect.stringMatching(/^COMMAND_(TIMEOUT|OUTPUT_TOO_LARGE)$/),
        stdout: expect.stringMatching(/y\n$/),
      })
      const stubborn = run("trap '' INT TERM QUIT; echo before; while :; do sleep 1; done", { timeout: 1_500 })
      await expect(stubborn).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT', stdout: 'before\n' })
      expect((await run('echo on')).stdout).toBe('on\n')
    })

    test('a command ends when its signal aborts', async () => {
      const running = run('sleep 1000', { signal: AbortSignal.timeout(1_500) })
      await expect(running).rejects.toMatchObject({
        code: 'COMMAND_ABORTED',
        cause: { name: 'TimeoutError' },
        message: expect.stringContaining('was aborted and killed: '),
      })
      expect((await run('echo on')).stdout).toBe('on\n')
    })

    test('a command whose signal has aborted is not started', async () => {
      const reason = new Error('enough')
      const file = `/tmp/coldboot-test-${randomInt(1e9)}`
      await expect(run(`echo >${file}`, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
        code: 'COMMAND_ABORTED',
        cause: reason,
        message: expect.stringMatching(/ was aborted before its start: enough/),
      })
      await run(`[ ! -e ${file} ]`)
    })

    test('a command does not wait for background processes', async () => {
      expect((await run('sleep 100 & echo left')).stdout).toBe('left\n')
      // A background process must not print into the output of other commands.
      const [go, gone] = [0, 1].map(() => `/tmp/coldboot-test-${randomInt(1e9)}`)
      await run(`(while [ ! -e ${go} ]; do sleep 0.1; done; echo late; touch ${gone}) & :`)
      const { stdout } = await run(
        `touch ${go}; while [ ! -e ${gone} ]; do sleep 0.1; done; echo own; rm ${go} ${gone}`,
      )
      expect(stdout).toBe('own\n')
    })

    test('commands run concurrently', async () => {
      const results = await Promise.all(['1', '2', '3', '4'].map((text) => run(`echo ${text}`)))
      expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    })

    test.runIf(kernelLog)('the output of a command is separated from kernel messages', async () => {
      const noise = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "<2>noise $i" >/dev/kmsg; done'
      const { stdout } = await run(`(${noise}) & seq 1 20000`)
      expect(stdout === Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('')).toBe(true)
    })
  })
}

/** Test suite of waits and of tests in a guest for all transports. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { GuestTransport } from '../src/guest/run-options.ts'
import type { VM } from '../src/machine/vm.ts'

/**
 * @param via transport to use
 * @param machine machine under test; its guest has `nc`, unless `listens` is false
 */
export function waitContract(
  via: GuestTransport,
  machine: () => VM,
  { listens = true }: { readonly listens?: boolean } = {},
): void {
  const base = `/tmp/wait-${randomBytes(4).toString('hex')}`

  describe(`a wait via the ${via}`, () => {
    test('a wait ends with the first success, with the number of tries', async () => {
      const command = `echo x >>${base}; echo "try $(wc -l <${base})"; [ $(wc -l <${base}) -ge 3 ]`
      const result = await machine().waitUntil(command, { via, interval: 10 })
      expect(result).toMatchObject({ output: 'try 3', tries: 3 })
      expect(result.duration).toBeGreaterThan(0)
    })

    test('a wait accepts words, a directory and variables like a command', async () => {
      const options = { via, cwd: '/dev', env: { A: "it's $A" } }
      expect((await machine().waitUntil('pwd; printf %s "$A"', options)).output).toBe("/dev\nit's $A")
      expect((await machine().waitUntil(['echo', '$A', "it's"], options)).output).toBe("$A it's")
    })

    test('a wait that fails has the time and the output of the last try', async () => {
      await expect(machine().waitUntil('echo still; exit 7', { via, timeout: 1_000 })).rejects.toMatchObject({
        name: 'GuestCommandError',
        code: 'WAIT_TIMEOUT',
        exitCode: 7,
        stdout: 'still',
        message: expect.stringMatching(
          /".*" waited for `echo still; exit 7` to succeed without success for .*s \(\d+ tries, the last with exit code 7\)[^]*Output of the last try:\n {2}still/,
        ),
      })
    })

    test('a wait with a hanging try ends in time', async () => {
      await expect(machine().waitUntil('sleep 1000', { via, timeout: 300 })).rejects.toThrow(
        /without success for .* \(the last try did not end\)/,
      )
      expect((await machine().run('echo on', { via })).stdout).toBe('on\n')
    })

    test('a wait ends when its signal aborts', async () => {
      const controller = new AbortController()
      const waiting = machine().waitUntil('false', { via, signal: controller.signal })
      controller.abort(new Error('enough'))
      await expect(waiting).rejects.toMatchObject({ code: 'COMMAND_ABORTED' })
      expect((await machine().run('echo on', { via })).stdout).toBe('on\n')
    })

    test('a wait for a file ends with it, or lists the directory', async () => {
      await machine().run(`(sleep 0.5; touch ${base}-file) >/dev/null 2>&1 & :`, { via })
      await machine().waitForFile(`${base}-file`, { via })
      await expect(machine().waitForFile(`${base}-no/such`, { via, timeout: 300 })).rejects.toThrow(
        /\/such to exist without success[^]*Diagnosis:\n {2}In \/tmp:/,
      )
    })

    test.runIf(listens)('a wait for a port ends with it, or lists the listening ports', async () => {
      const port = 8_000 + ['agent', 'guest-agent', 'shell'].indexOf(via)
      await machine().run(`(sleep 0.5; nc -l -p ${port}) </dev/null >/dev/null 2>&1 & :`, { via })
      await machine().waitForPort(port, { via })
      await expect(machine().waitForPort(81, { via, timeout: 300 })).rejects.toThrow(
        new RegExp(`a listener on port 81[^]*Listening ports:[^]* ${port}\\b`),
      )
      await machine().run(`echo | nc 127.0.0.1 ${port}`, { via })
    })
  })

  describe(`tests in the guest via the ${via}`, () => {
    test('tests in the guest return their cases, each with its log', async () => {
      const command = "printf '1..2\\nok 1 - adds\\nnot ok 2 - divides\\n# by zero\\n'; exit 1"
      expect(await machine().runTests(command, { via, format: 'tap', check: false })).toMatchObject({
        passed: false,
        exitCode: 1,
        problems: [],
        via,
        tests: [
          { name: 'adds', status: 'passed' },
          { name: 'divides', status: 'failed', log: '# by zero' },
        ],
      })
    })

    test('tests in the guest that fail reject with the log of each', async () => {
      const command = "printf '1..2\\nnot ok 1 - adds\\n# by two\\nnot ok 2 - divides\\n# by zero\\n'"
      await expect(machine().runTests(command, { via, format: 'tap' })).rejects.toMatchObject({
        name: 'GuestTestsError',
        code: 'TESTS_FAILED',
        tests: [{ name: 'adds' }, { name: 'divides' }],
        message: expect.stringMatching(
          /^2 of 2 tests of `.*` in ".*" failed[^]*adds:\n {2}# by two[^]*divides:\n {2}# by zero$/,
        ),
      })
      await expect(machine().runTests('echo 1..1; echo ok 1; exit 3', { via, format: 'tap' })).rejects.toThrow(
        /^None of 1 test of `.*` in ".*" failed, but the exit code is 3/,
      )
    })

    test('tests in the guest that pass resolve, also with a report in a file', async () => {
      const report = `${base}.xml`
      await machine().writeFile(report, '<testsuite name="s"><testcase name="a" time="0.5"/></testsuite>', { via })
      const run = await machine().runTests('echo not the report', { via, format: 'junit', report })
      expect(run).toMatchObject({ passed: true, tests: [{ path: ['s', 'a'], duration: 500 }] })
    })

    test('tests in the guest without a report reject', async () => {
      const options = { via, format: 'junit', report: `${base}-none.xml` } as const
      await expect(machine().runTests('echo broken >&2; exit 2', options)).rejects.toMatchObject({
        code: 'TESTS_UNREADABLE',
        exitCode: 2,
        message: expect.stringMatching(/no such file[^]*exit code 2[^]*Standard error:\n {2}broken/i),
      })
    })
  })
}

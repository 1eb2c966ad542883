import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cleanStacks, explainErrors, placeOf, type ReportedError } from './reported-error.ts'

const OURS = fileURLToPath(new URL('../dist/test-machines.js', import.meta.url))
const definition = '    at /home/me/boot.test.ts:3:1'

function machine(name: string): { name: string; output: string; commandLine: readonly string[]; keptLog: string } {
  return { name, output: `${name}: ready\n`, commandLine: ['qemu', '-name', name], keptLog: `/logs/${name}` }
}

describe('an error of this project', () => {
  test('has a stack that starts at the user code', () => {
    const error: ReportedError = {
      code: 'EXPECT_TIMEOUT',
      message: 'late',
      stack: `ExpectError: late\n    at VM.expect (${OURS}:1:2)\n    at /home/me/boot.test.ts:9:5`,
    }
    cleanStacks([error], definition)
    expect(error.stack).toBe('late\n    at /home/me/boot.test.ts:9:5')
  })

  test('an error of this project without user code in its stack points at the test definition', () => {
    const error: ReportedError = {
      code: 'QEMU_NOT_FOUND',
      message: 'no QEMU',
      stack: `StartError: no QEMU\n    at file://${OURS}:1:2\n    at process.processTicksAndRejections (node:internal:1:2)`,
    }
    cleanStacks([error], definition)
    expect(error.stack).toBe(`no QEMU\n${definition}`)
  })

  test('points at the test definition when the only other frame has no position', () => {
    const error: ReportedError = {
      code: 'CACHE_UNUSABLE',
      message: 'no cache',
      stack: `StartError: no cache\n    at file://${OURS}:1:2\n    at async Promise.all (index 0)`,
    }
    cleanStacks([error], definition)
    expect(error.stack).toBe(`no cache\n${definition}`)
  })

  test('drops a Node.js cause whose message it includes', () => {
    const cause = { message: 'ENOENT: no such file', code: 'ENOENT' }
    const error: ReportedError = { code: 'FILE_MISSING', message: 'cannot be read: ENOENT: no such file', cause }
    const other: ReportedError = { code: 'FILE_MISSING', message: 'cannot be read', cause }
    cleanStacks([error, other], definition)
    expect([error.cause, other.cause]).toEqual([undefined, cause])
  })

  test('drops a cause of this project whose short message it includes', () => {
    const error: ReportedError = {
      code: 'BOOT_TIMEOUT',
      message: 'slow: nothing came',
      cause: { shortMessage: 'nothing came' },
    }
    const other: ReportedError = { code: 'START_FAILED', message: 'gone', cause: { shortMessage: 'disk full' } }
    cleanStacks([error, other], definition)
    expect([error.cause, other.cause]).toEqual([undefined, { shortMessage: 'disk full' }])
  })
})

test('errors of other origin keep their stack', () => {
  const error: ReportedError = { message: 'mine', code: 'ENOENT', stack: `Error: mine\n    at x (${OURS}:1:2)` }
  cleanStacks([error], definition)
  expect(error.stack).toContain(OURS)
})

describe('the console output of a VM', () => {
  test('is appended to the last message', () => {
    const errors: ReportedError[] = [{ message: 'first' }, { message: 'last' }]
    explainErrors(errors, [machine('vm')])
    expect(errors[0]?.message).toBe('first')
    expect(errors[1]?.message).toBe(`last

End of the console:
  vm: ready

Command line:
  qemu -name vm

Log:
  /logs/vm
`)
  })

  test('is appended to the diff of an error that has one', () => {
    const error: ReportedError = { message: 'not equal', diff: '- 1\n+ 2' }
    explainErrors([error], [machine('vm')])
    expect(error.message).toBe('not equal')
    expect(error.diff).toMatch(/^- 1\n\+ 2\n\nEnd of the console:\n {2}vm: ready\n/)
  })

  test('has the name of the VM in its title when there are several, and is not repeated', () => {
    const error: ReportedError = { message: 'late\n\nLog:\n  /logs/server' }
    explainErrors([error], [machine('server'), machine('client')])
    expect(error.message).toContain('End of the console of "client":\n  client: ready')
    expect(error.message).not.toContain('"server"')
  })

  test('is not repeated when the error contains the end of it', () => {
    const error: ReportedError = { message: 'late\n\nEnd of the console:\n  vm: ready' }
    explainErrors([error], [machine('vm')])
    expect(error.message).toBe(
      'late\n\nEnd of the console:\n  vm: ready\n\nCommand line:\n  qemu -name vm\n\nLog:\n  /logs/vm\n',
    )
  })

  test('is added to no error when nothing failed', () => {
    expect(() => explainErrors([], [machine('vm')])).not.toThrow()
  })
})

test('placeOf finds the first frame of user code below frames of Node.js and node_modules', () => {
  const stack = [
    'Error: no',
    '    at Proxy.<anonymous> (file:///project/node_modules/vitest/dist/index.js:2295:13)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
    '    at file:///project/boot.test.ts:5:3',
  ].join('\n')
  expect(placeOf(stack)).toBe('/project/boot.test.ts:5:3')
  expect(placeOf('Error: no')).toBeUndefined()
})

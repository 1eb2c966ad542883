import { once } from 'node:events'
import { duplexPair, PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Console } from '../../console/console.ts'
import { Transcript } from '../../console/log/transcript.ts'
import { debugSession } from './debug-session.ts'

/** A console, the other end of its stream, and a fake terminal. */
function setUp(ended: Promise<unknown> = new Promise(() => {}), signal?: AbortSignal) {
  const [ours, machine] = duplexPair()
  const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
  console.attach(ours)
  const input = new PassThrough()
  const output = new PassThrough().setEncoding('utf8')
  let screen = ''
  output.on('data', (text: string) => {
    screen += text
  })
  let open = false
  const terminal = () => {
    open = true
    return { input, output, [Symbol.dispose]: () => void (open = false) }
  }
  const session = () => debugSession({ name: 'vm', console, ended }, { signal }, terminal)
  return { console, machine, input, session, terminal, screen: () => screen, isOpen: () => open }
}

test('connects the terminal with the console until Ctrl-]', async () => {
  const { console, machine, input, session, screen, isOpen } = setUp()
  machine.write('login: ')
  await console.expect('login: ')
  const over = session()
  expect(isOpen()).toBe(true)
  input.write('root')
  expect(String((await once(machine, 'data'))[0])).toBe('root')
  machine.write('root\r\n\x1b[1m# \x1b[0m')
  await turn()
  input.write('exit\x1dnot for the machine')
  expect(String((await once(machine, 'data'))[0])).toBe('exit')
  await over
  expect(isOpen()).toBe(false)
  expect(screen()).toMatch(
    /This terminal is now the console of "vm"\..*login: root\r\n\x1b\[1m# \x1b\[0m\r\n\[coldboot\] Back to the test\./s,
  )
})

test('consumes the output of the session', async () => {
  const { console, machine, input, session } = setUp()
  const earlier = console.expect('one')
  const over = session()
  machine.write('one # ')
  expect((await earlier).text).toBe('one')
  input.write('\x1d')
  await over
  const later = console.expect(/# |two/)
  machine.write('two')
  expect((await later).text).toBe('two')
})

test('ends with the machine, the test or the terminal', async () => {
  const gone = Promise.withResolvers<void>()
  const machine = setUp(gone.promise)
  const first = machine.session()
  gone.resolve()
  await first
  expect(machine.screen()).toContain('The machine has ended. Back to the test.')

  const controller = new AbortController()
  const ended = setUp(undefined, controller.signal)
  const second = ended.session()
  controller.abort()
  await second
  expect(ended.screen()).toContain('The test has ended. Back to the test.')

  const closed = setUp()
  const third = closed.session()
  closed.input.destroy()
  await third
  expect(closed.isOpen()).toBe(false)
})

test('ends when the terminal hangs up, which is an error of its input before the end', async () => {
  const { input, session, screen, isOpen } = setUp()
  input.on('error', () => {})
  const over = session()
  input.destroy(Object.assign(new Error('read EIO'), { code: 'EIO' }))
  await over
  expect(isOpen()).toBe(false)
  expect(screen()).toContain('The terminal was closed. Back to the test.')
})

test('outside of a test, says what Ctrl-] does instead', async () => {
  const leaveHint = 'Press Ctrl-] to end the machine.'
  const { console, input, terminal, screen } = setUp()
  const machine = { name: 'vm', console, ended: new Promise(() => {}) }
  const over = debugSession(machine, { leaveHint }, terminal)
  input.write('\x1d')
  await over
  const greeting = `\r\n[coldboot] This terminal is now the console of "vm". ${leaveHint}\r\n`
  expect(screen()).toBe(greeting)
  await debugSession({ ...machine, ended: Promise.resolve() }, { leaveHint }, terminal)
  expect(screen()).toBe(`${greeting.repeat(2)}\r\n[coldboot] The machine has ended.\r\n`)
})

test('stops the CPUs for a debugger, and shows its command', async () => {
  const { console, input, terminal, screen } = setUp()
  let isStopped = false
  const stop = async () => {
    isStopped = true
    return "gdb -ex 'target remote /s'"
  }
  const over = debugSession({ name: 'vm', console, ended: new Promise(() => {}), stop }, { gdb: true }, terminal)
  await turn()
  expect(isStopped).toBe(true)
  input.write('\x1d')
  await over
  expect(screen()).toMatch(/The CPUs of "vm" are stopped\. .*:\r\ngdb -ex 'target remote \/s'\r\n.*Back to the test/s)
})

test('stops nothing without a terminal', async () => {
  const { console } = setUp()
  const stop = () => Promise.reject(new Error('stopped'))
  const machine = { name: 'vm', console, ended: new Promise(() => {}), stop }
  const noTerminal = () => {
    throw new Error('no terminal')
  }
  await expect(debugSession(machine, { gdb: true }, noTerminal)).rejects.toThrow('no terminal')
})

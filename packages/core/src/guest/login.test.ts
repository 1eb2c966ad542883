import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Console } from '../console/console.ts'
import { Transcript } from '../console/log/transcript.ts'
import { type LoginOptions, login } from './login.ts'

/** What a getty says: at first, and to each line that is typed. */
interface Getty {
  readonly start?: string
  readonly answer: (line: string, count: number) => string
}

interface Setup {
  readonly login: (options?: LoginOptions) => Promise<void>
  readonly console: Console
  /** What was typed. */
  readonly typed: readonly string[]
  /** Commands that were run to prove that a shell is there. */
  readonly commands: readonly unknown[]
}

/** A hundredth of all times. */
const scale = (milliseconds: number): number => milliseconds / 100

async function setUp({ start = '', answer }: Getty): Promise<Setup> {
  const [host, machine] = duplexPair()
  const console = new Console({
    name: 'vm',
    transcript: new Transcript(),
    timeoutMs: 20_000,
    scale,
    describe: () => ({ arch: 'x86_64', consoleDevice: 'ttyS0', commandLine: 'qemu', logFile: '/log' }),
  })
  console.attach(host)
  const typed: string[] = []
  machine.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').slice(0, -1)) machine.write(answer(line, typed.push(line)))
  })
  machine.write(start)
  const commands: unknown[] = []
  const run = (command: unknown): Promise<never> => Promise.resolve(commands.push(command) as never)
  const guest = { name: 'vm', scale, ready: () => Promise.resolve(), run }
  const face = {
    get output() {
      return console.text()
    },
    expect: console.expect.bind(console),
    send: console.send.bind(console),
  }
  // What it says first has come.
  if (start !== '') await console.expect(start.slice(0, 1))
  return { console, typed, commands, login: (options = {}) => login(face, guest, options) }
}

/** Of a user with a password. */
const answers: Getty['answer'] = (line) =>
  new Map([
    ['root', 'root\r\nPassword: '],
    ['secret', '\r\nLast login: Mon Nov 23 10:00:00\r\nWelcome!\r\nroot@vm:~# '],
  ]).get(line) ?? '\r\nLogin incorrect\r\nvm login: '

describe('a login', () => {
  test('answers the prompts, and proves that a shell is there', async () => {
    const { login, typed, commands } = await setUp({ start: 'Debian 12\r\n\r\nvm login: ', answer: answers })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'secret'])
    expect(commands).toEqual(['true'])
  })

  test('of a user without a password types none', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: () => 'me\r\n$ ' })
    await login({ user: 'me' })
    expect(typed).toEqual(['me'])
  })

  test('answers a prompt once, whether somebody waited for it before or not', async () => {
    for (const isConsumed of [true, false]) {
      const { login, typed, console } = await setUp({ start: 'vm login: ', answer: answers })
      if (isConsumed) await console.expect('login: ')
      await login({ password: 'secret' })
      expect(typed).toEqual(['root', 'secret'])
    }
  })

  test('that is refused says so, and the next one is not confused by it', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: answers })
    await expect(login({ password: 'wrong' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringMatching(/"vm" failed after .*: user root was refused[^]*Login incorrect/),
    })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'wrong', 'root', 'secret'])
  })

  test('of somebody who is logged in types nothing', async () => {
    const { login, typed, commands } = await setUp({ start: 'root@vm:~# ', answer: answers })
    await login({ password: 'secret' })
    expect([typed, commands]).toEqual([[], ['true']])
  })

  test("waits for a prompt of the user's own", async () => {
    const { login, commands } = await setUp({ start: 'vm login: ', answer: () => '\r\n# not yet\r\nready> ' })
    await login({ prompt: 'ready> ' })
    expect(commands).toEqual(['true'])
  })

  test('sees a prompt that the kernel printed into', async () => {
    const noise = '[   12.345678] random: crng init done\r\n'
    const answer: Getty['answer'] = (line) => answers(line, 0).replace('Pass', `Pass${noise}`)
    const { login, typed } = await setUp({ start: `vm lo${noise}gin: `, answer })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'secret'])
  })

  test('presses Enter where something came over the prompt, and is not put off by what that does', async () => {
    const broken = { login: 'vm log daemon: started\r\n', password: 'root\r\nPassw daemon: stopped\r\n' }
    const answer: Getty['answer'] = (line, count) =>
      count === 1 ? 'vm login: ' : count === 2 ? broken.password : answers(line, count)
    const { login, typed } = await setUp({ start: broken.login, answer })
    await login({ password: 'secret' })
    expect(typed).toEqual(['', 'root', '', 'root', 'secret'])
  })

  test('to which nobody answers ends in time', async () => {
    const { login } = await setUp({ answer: () => '' })
    await expect(login({ timeout: 12_000 })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringContaining('no prompt came'),
    })
  })

  test('is refused before anything is typed where it cannot be typed', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: answers })
    await expect(login({ user: '' })).rejects.toThrow(/`user` must be a name of one line/)
    await expect(login({ password: 'a\nb' })).rejects.toThrow(/`password` must be a string of one line/)
    await expect(login({ pasword: '' } as object)).rejects.toThrow(/did you mean `password`/)
    expect(typed).toEqual([])
  })
})

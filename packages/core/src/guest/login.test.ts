import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Console } from '../console/console.ts'
import { Transcript } from '../console/log/transcript.ts'
import { type LoginOptions, login } from './login.ts'

/** Output of a fake getty: at its start, and after each typed line. */
interface Getty {
  readonly start?: string
  readonly answer: (line: string, count: number) => string
}

interface Setup {
  readonly login: (options?: LoginOptions) => Promise<void>
  readonly console: Console
  /** Lines that were typed. */
  readonly typed: readonly string[]
  /** Commands that were run to prove that there is a shell. */
  readonly commands: readonly unknown[]
}

/** Scales all times to a twentieth. */
const scale = (milliseconds: number): number => milliseconds / 20

async function setUp({ start = '', answer }: Getty): Promise<Setup> {
  const [host, machine] = duplexPair()
  const console = new Console({
    name: 'vm',
    transcript: new Transcript(),
    timeoutMs: 20_000,
    scale,
    describe: () => ({ arch: 'x86_64', consoleDevice: 'ttyS0', commandLine: ['qemu'], logFile: '/log' }),
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
  // Waits until the first output has arrived.
  if (start !== '') await console.expect(start.slice(0, 1))
  return { console, typed, commands, login: (options = {}) => login(face, guest, options) }
}

/** Console dialogue of a login with a password. */
const answers: Getty['answer'] = (line) =>
  new Map([
    ['root', 'root\r\nPassword: '],
    ['secret', '\r\nLast login: Mon Nov 23 10:00:00\r\nWelcome!\r\nroot@vm:~# '],
  ]).get(line) ?? '\r\nLogin incorrect\r\nvm login: '

describe('a login', () => {
  test('answers the prompts, and checks for a shell', async () => {
    const { login, typed, commands } = await setUp({ start: 'Debian 12\r\n\r\nvm login: ', answer: answers })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'secret'])
    expect(commands).toEqual(['true'])
  })

  test('a login of a user without a password types none', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: () => 'me\r\n$ ' })
    await login({ user: 'me' })
    expect(typed).toEqual(['me'])
  })

  test('answers a prompt once, even if the test waited for it before', async () => {
    for (const isConsumed of [true, false]) {
      const { login, typed, console } = await setUp({ start: 'vm login: ', answer: answers })
      if (isConsumed) await console.expect('login: ')
      await login({ password: 'secret' })
      expect(typed).toEqual(['root', 'secret'])
    }
  })

  test('a login that is refused is reported, without affecting the next one', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: answers })
    await expect(login({ password: 'wrong' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringMatching(/"vm" failed after .*: user root was refused[^]*Login incorrect/),
    })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'wrong', 'root', 'secret'])
  })

  test('a login at a shell types nothing', async () => {
    const { login, typed, commands } = await setUp({ start: 'root@vm:~# ', answer: answers })
    await login({ password: 'secret' })
    expect([typed, commands]).toEqual([[], ['true']])
  })

  const banner = 'Kali GNU/Linux\r\nlogin: kali, password: kali\r\n\r\nvm login: '
  const motd =
    '\r\nLast failed login: Mon Nov 23 10:00:00 on ttyS0\r\nLast login: Mon Nov 23\r\n-bash: /etc/x: Permission denied\r\n'

  test('does not take a banner or a message for a prompt', async () => {
    const answer: Getty['answer'] = (line) => (line === 'kali' ? 'kali\r\nPassword: ' : `${motd}kali@vm:~$ `)
    const { login, typed } = await setUp({ start: banner, answer })
    await login({ user: 'kali', password: 'secret' })
    expect(typed).toEqual(['kali', 'secret'])
  })

  test('answers given prompts in another language', async () => {
    const answer: Getty['answer'] = (line) => (line === 'root' ? 'root\r\nPasswort: ' : '\r\nroot@vm:~# ')
    const { login, typed } = await setUp({ start: 'vm Anmeldung: ', answer })
    await login({ password: 'secret', prompts: { login: 'Anmeldung:', password: /Pass(?:wort|phrase):/ } })
    expect(typed).toEqual(['root', 'secret'])
  })

  test('reports an unknown prompt, and types nothing', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: () => 'root\r\nMot de passe : ' })
    await expect(login({ password: 'secret' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringMatching(/an unknown prompt: "Mot de passe : "[^]*`prompts: {/),
    })
    expect(typed).toEqual(['root'])
  })

  test('reports an unknown prompt for the name too', async () => {
    const noise = '[   12.345678] random: crng init done\r\n'
    const { login, typed } = await setUp({ start: `vm Anmeldung: ${noise}`, answer: () => '' })
    await expect(login({ timeout: 12_000 })).rejects.toMatchObject({
      message: expect.stringContaining('an unknown prompt: "vm Anmeldung: "'),
    })
    expect(typed).toEqual([])
  })

  /** Dialogue of pam_unix for an expired password. */
  const expired: Getty['answer'] = (line, count) =>
    [
      'root\r\nPassword: ',
      '\r\nYou are required to change your password immediately (administrator enforced).\r\nChanging password for root.\r\nCurrent password: ',
      '\r\nNew password: ',
      '\r\nRetype new password: ',
      line === 'better' ? '\r\nroot@vm:~# ' : '\r\nSorry, passwords do not match.\r\nNew password: ',
    ][count - 1] ?? '\r\nvm login: '

  test('a login with an expired password has its own code', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: expired })
    await expect(login({ password: 'secret' })).rejects.toMatchObject({
      code: 'LOGIN_PASSWORD_EXPIRED',
      message: expect.stringMatching(/the password of root has expired[^]*Current password:/),
    })
    expect(typed).toEqual(['root', 'secret'])
  })

  test('changes an expired password to the given one', async () => {
    const { login, typed, commands } = await setUp({ start: 'vm login: ', answer: expired })
    await login({ password: 'secret', newPassword: 'better' })
    expect(typed).toEqual(['root', 'secret', 'secret', 'better', 'better'])
    expect(commands).toEqual(['true'])
  })

  test('logs in again with the new password if asked', async () => {
    const answer: Getty['answer'] = (line, count) =>
      ['root\r\nPassword: ', '\r\nNew password: ', '\r\nRetype new password: ', '\r\nvm login: '][count - 1] ??
      (line === 'root' ? 'root\r\nPassword: ' : '\r\n# ')
    const { login, typed } = await setUp({ start: 'vm login: ', answer })
    await login({ password: 'secret', newPassword: 'better' })
    expect(typed).toEqual(['root', 'secret', 'better', 'better', 'root', 'better'])
  })

  test('says that the new password was refused', async () => {
    const answer: Getty['answer'] = (_line, count) =>
      ['root\r\nPassword: ', '\r\nNew password: '][count - 1] ?? '\r\nBAD PASSWORD: too short\r\nNew password: '
    const { login } = await setUp({ start: 'vm login: ', answer })
    await expect(login({ newPassword: 'x' })).rejects.toMatchObject({
      message: expect.stringMatching(/the new password was refused[^]*BAD PASSWORD: too short/),
    })
  })

  test('waits for a custom prompt', async () => {
    const { login, commands } = await setUp({ start: 'vm login: ', answer: () => '\r\n# not yet\r\nready> ' })
    await login({ prompt: 'ready> ' })
    expect(commands).toEqual(['true'])
  })

  test('detects a prompt with a kernel message in it', async () => {
    const noise = '[   12.345678] random: crng init done\r\n'
    const answer: Getty['answer'] = (line) => answers(line, 0).replace('Pass', `Pass${noise}`)
    const { login, typed } = await setUp({ start: `vm lo${noise}gin: `, answer })
    await login({ password: 'secret' })
    expect(typed).toEqual(['root', 'secret'])
  })

  test('presses Enter if output has overwritten the prompt', async () => {
    const broken = { login: 'vm log daemon: started\r\n', password: 'root\r\nPassw daemon: stopped\r\n' }
    const answer: Getty['answer'] = (line, count) =>
      count === 1 ? 'vm login: ' : count === 2 ? broken.password : answers(line, count)
    const { login, typed } = await setUp({ start: broken.login, answer })
    await login({ password: 'secret' })
    expect(typed).toEqual(['', 'root', '', 'root', 'secret'])
  })

  test('a login without an answer ends in time', async () => {
    const { login } = await setUp({ answer: () => '' })
    await expect(login({ timeout: 12_000 })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringContaining('no prompt came'),
    })
  })

  test('rejects invalid options before anything is typed', async () => {
    const { login, typed } = await setUp({ start: 'vm login: ', answer: answers })
    await expect(login({ user: '' })).rejects.toThrow(/`user` must be a string of one line/)
    await expect(login({ password: 'a\nb' })).rejects.toThrow(/`password` must be a string of one line/)
    await expect(login({ newPassword: '' })).rejects.toThrow(/`newPassword` must be a string of one line/)
    await expect(login({ prompts: { pasword: 'x' } as object })).rejects.toThrow(/did you mean `password`/)
    await expect(login({ pasword: '' } as object)).rejects.toThrow(/did you mean `password`/)
    expect(typed).toEqual([])
  })
})

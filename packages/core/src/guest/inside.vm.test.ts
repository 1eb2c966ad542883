import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { channel } from '../devices/channel.ts'
import type { VMOptions } from '../options.ts'
import { VM } from '../vm.ts'
import type { GuestWay } from './run-options.ts'

let guest: VMOptions
let vm: VM
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 30_000 }
  vm = await VM.start({ ...guest, devices: [channel('results')] })
}, 300_000)
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await vm.close()
})

const ways: readonly GuestWay[] = ['agent', 'shell']

describe.each(ways)('a file by way of the %s', (way) => {
  test('is the same there and back, whatever is in it', async () => {
    for (const size of [0, 1, 3000, 100_000]) {
      const bytes = randomBytes(size)
      await vm.writeFile('/tmp/some file', bytes, { way })
      const sum = createHash('md5').update(bytes).digest('hex')
      expect((await vm.run('md5sum <"/tmp/some file"')).stdout).toContain(sum)
      expect(Buffer.from(await vm.readFile('/tmp/some file', { way, encoding: 'buffer' })).equals(bytes)).toBe(true)
    }
    await vm.writeFile('/tmp/text', 'grün\r\n', { way })
    expect(await vm.readFile('/tmp/text', { way })).toBe('grün\r\n')
  })

  test('has the mode asked for, else the one it has', async () => {
    const path = `/tmp/mode-${way}`
    const mode = async (): Promise<string> => (await vm.run(['stat', '-c', '%a', path])).stdout.trim()
    await vm.writeFile(path, '', { way })
    expect(await mode()).toBe('644')
    await vm.writeFile(path, '#!/bin/sh\n', { way, mode: 0o4755 })
    expect(await mode()).toBe('4755')
    await vm.run(['chmod', '600', path])
    await vm.writeFile(path, '', { way })
    expect(await mode()).toBe('600')
  })

  test('of the kernel is an order, and its answer', async () => {
    await vm.writeFile('/proc/sys/kernel/domainname', `of-${way}`, { way })
    expect(await vm.readFile('/proc/sys/kernel/domainname', { way })).toBe(`of-${way}\n`)
  })

  test('of the kernel is read, which has no size', async () => {
    expect(await vm.readFile('/proc/version', { way })).toMatch(/^Linux version /)
  })

  test('that cannot be had says why', async () => {
    await expect(vm.readFile('/no/such', { way })).rejects.toMatchObject({
      name: 'GuestFileError',
      code: 'GUEST_FILE_MISSING',
      path: '/no/such',
      message: expect.stringMatching(/^\/no\/such in “vm” could not be read: .*no such file or directory/i),
    })
    await expect(vm.writeFile('/no/such', 'x', { way })).rejects.toMatchObject({
      code: 'GUEST_FILE_MISSING',
      message: expect.stringContaining('could not be written'),
    })
    // What nobody may write to, not even root.
    const readOnly = '/sys/kernel/uevent_seqnum'
    await expect(vm.writeFile(readOnly, '1', { way })).rejects.toMatchObject({ code: 'GUEST_FILE_DENIED' })
    await expect(vm.readFile('/tmp', { way })).rejects.toMatchObject({
      code: 'GUEST_FILE_FAILED',
      message: expect.stringMatching(/is a directory|illegal operation on a directory/i),
    })
  })
})

describe.each(ways)('a tree by way of the %s', (way) => {
  function makeTree(): string {
    const tree = mkdtempSync(join(folder, 'tree-'))
    mkdirSync(join(tree, 'a', 'leer'), { recursive: true })
    writeFileSync(join(tree, 'a', 'größe 😀.bin'), randomBytes(2000))
    writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\necho ran\n')
    writeFileSync(join(tree, 'empty'), '')
    chmodSync(join(tree, 'run.sh'), 0o755)
    symlinkSync('run.sh', join(tree, 'link'))
    return tree
  }

  test('is the same there and back', async () => {
    const tree = makeTree()
    await vm.copyIn(tree, `/tmp/deep/${way}/tree`, { way })
    expect((await vm.run(`/tmp/deep/${way}/tree/link`)).stdout).toBe('ran\n')
    expect((await vm.run(`stat -c %u:%g /tmp/deep/${way}/tree/run.sh`)).stdout).toBe('0:0\n')
    const back = join(folder, `back-${way}`, 'tree')
    await vm.copyOut(`/tmp/deep/${way}/tree`, back, { way })
    const names = (readdirSync(back, { recursive: true }) as string[]).toSorted()
    expect(names).toEqual((readdirSync(tree, { recursive: true }) as string[]).toSorted())
    for (const name of names) {
      const [before, after] = [lstatSync(join(tree, name)), lstatSync(join(back, name))]
      expect(after.mode).toBe(before.mode)
      if (before.isFile()) expect(readFileSync(join(back, name))).toEqual(readFileSync(join(tree, name)))
    }
    expect(readlinkSync(join(back, 'link'))).toBe('run.sh')
  })

  test('of one file is the file, with its mode, in a directory that is made', async () => {
    const tree = makeTree()
    await vm.copyIn(join(tree, 'run.sh'), `/tmp/one/${way}/again`, { way })
    await vm.copyIn(join(tree, 'run.sh'), `/tmp/one/${way}/`, { way })
    expect((await vm.run(`cd /tmp/one/${way} && ./again && ./run.sh`)).stdout).toBe('ran\nran\n')
    const back = join(folder, `one-${way}`, 'file')
    await vm.copyOut(`/tmp/one/${way}/again`, back, { way })
    expect(statSync(back).isFile()).toBe(true)
  })
})

describe('files', () => {
  test('of many megabytes go by way of the agent', async () => {
    const bytes = randomBytes(20 << 20)
    await vm.writeFile('/tmp/large', bytes)
    const back = Buffer.from(await vm.readFile('/tmp/large', { encoding: 'buffer' }))
    expect(back.equals(bytes)).toBe(true)
    await vm.run('rm /tmp/large')
  })

  test('that do not fit say so', async () => {
    await vm.run('mkdir -p /tmp/small && mount -t tmpfs -o size=100k tmpfs /tmp/small')
    for (const way of ways) {
      await expect(vm.writeFile('/tmp/small/file', randomBytes(200_000), { way })).rejects.toThrow(/no space left/i)
    }
  })

  test('are refused by paths that depend on where one is, before anything is done', async () => {
    await expect(vm.readFile('etc/passwd')).rejects.toThrow(/must be absolute/)
    await expect(vm.copyIn(join(folder, 'none'), '/tmp')).rejects.toMatchObject({ code: 'FILE_MISSING' })
    await expect(vm.writeFile('/tmp/x', '', { mod: 1 } as object)).rejects.toThrow(/did you mean `mode`/)
  })
})

describe.each(ways)('a wait by way of the %s', (way) => {
  test('ends with the first success, and tells how many tries there were', async () => {
    await vm.run('rm -f /tmp/count')
    const command = 'echo x >>/tmp/count; echo "try $(wc -l </tmp/count)"; [ $(wc -l </tmp/count) -ge 3 ]'
    const { output, tries } = await vm.waitUntil(command, { way, interval: 10 })
    expect({ output, tries }).toEqual({ output: 'try 3', tries: 3 })
  })

  test('in vain tells for how long, and what the last try said', async () => {
    await expect(vm.waitUntil('echo still; exit 7', { way, timeout: 1_000 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      message: expect.stringMatching(
        /“vm” waited for `echo still; exit 7` to succeed in vain for .*s \(\d+ tries, the last with exit code 7\)[^]*Output of the last try:\n {2}still/,
      ),
    })
  })

  test('whose try hangs ends all the same', async () => {
    await expect(vm.waitUntil('sleep 1000', { way, timeout: 300 })).rejects.toThrow(/its last try did not end/)
    expect((await vm.run('echo on', { way })).stdout).toBe('on\n')
  })

  test('for a port, a file', async () => {
    await vm.run('(sleep 0.5; nc -l -p 8080 >/dev/null; sleep 0.3; touch /tmp/there) & rm -f /tmp/there')
    await vm.waitForPort(8080, { way })
    await vm.run('echo x | nc 127.0.0.1 8080')
    await vm.waitForFile('/tmp/there', { way })
    await expect(vm.waitForPort(81, { way, timeout: 300 })).rejects.toThrow(/port 81 to be listened on[^]*Diagnosis:/)
    await expect(vm.waitForFile('/tmp/never/there', { way, timeout: 300 })).rejects.toThrow(
      /\/tmp\/never\/there to be there[^]*In \/tmp:/,
    )
  })
})

describe('waiting', () => {
  test('for what cannot be is refused at once', async () => {
    await expect(vm.waitForPort(70_000)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(vm.waitForFile('')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(vm.waitUntil('true', { interval: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('for a unit that has failed is over at once', async () => {
    const systemctl = '#!/bin/sh\ncase $1 in is-active) echo failed; exit 3;; *) echo "$*: out of memory";; esac\n'
    await vm.writeFile('/bin/systemctl', systemctl, { mode: 0o755 })
    await expect(vm.waitForUnit('web.service')).rejects.toThrow(
      /unit web\.service to be active and it cannot come true any more[^]*status .*web\.service: out of memory/,
    )
    await vm.writeFile('/bin/systemctl', '#!/bin/sh\necho active\n', { mode: 0o755 })
    expect(await vm.waitForUnit('web.service')).toMatchObject({ output: 'active', tries: 1 })
  })
})

describe('tests in the guest', () => {
  test('give their cases, each with its log', async () => {
    const run = await vm.runTests("printf '1..2\\nok 1 - adds\\nnot ok 2 - divides\\n# by zero\\n'; exit 1", {
      format: 'tap',
    })
    expect(run).toMatchObject({
      passed: false,
      exitCode: 1,
      problems: [],
      tests: [
        { name: 'adds', status: 'passed' },
        { name: 'divides', status: 'failed', log: '# by zero' },
      ],
    })
  })

  test('that pass, pass, also with a report in a file', async () => {
    await vm.writeFile('/tmp/report.xml', '<testsuite name="s"><testcase name="a" time="0.5"/></testsuite>')
    const run = await vm.runTests('echo not the report', { format: 'junit', report: '/tmp/report.xml' })
    expect(run).toMatchObject({ passed: true, tests: [{ path: ['s', 'a'], durationMs: 500 }] })
    expect((await vm.runTests('printf "1..1\\n  1..1\\n  ok 1 a\\nok 1 s\\n"', { format: 'ktap' })).passed).toBe(true)
  })

  test('that report nothing are an error', async () => {
    await expect(vm.runTests('echo broken; exit 2', { format: 'tap' })).rejects.toMatchObject({
      code: 'TESTS_UNREADABLE',
      message: expect.stringMatching(
        /is no tap: there is no test in it \(exit code 2\)[^]*Standard output:\n {2}broken/,
      ),
    })
    await expect(vm.runTests('true', {} as { format: 'tap' })).rejects.toThrow(
      /`format` must be one of tap, ktap, junit/,
    )
  })
})

describe('events', () => {
  /** A schema as any library makes them. */
  const progress: StandardSchemaV1<unknown, { readonly step: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'number'
          ? { value: { step: value.step * 10 } }
          : { issues: [{ message: 'must be a number', path: ['step'] }] },
    },
  }
  const send = (lines: readonly string[]): Promise<unknown> =>
    vm.run('cat >/dev/virtio-ports/results', { input: lines.map((line) => `${line}\n`).join('') })

  test('come one by one, as the schema makes them, until the last', async () => {
    await send(['{"step":1}', '{"step":2}', '{"event":"done","total":2}'])
    const steps: number[] = []
    const events = vm.events('results', { schema: progress })
    for await (const event of events) steps.push(event.step)
    expect(steps).toEqual([10, 20])
  })

  test('that the schema refuses are told with what is wrong', async () => {
    await send(['{"step":"one"}', '{"step":3}'])
    const events = vm.events('results', { schema: progress })
    await expect(events.next()).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringMatching(/channel “results” is not what its schema says: step: must be a number/),
    })
    // The next one is still there for who asks again.
    expect((await vm.events('results').next()).value).toEqual({ step: 3 })
  })

  test('of a channel that the machine does not have are refused with those it has', () => {
    expect(() => vm.events('result')).toThrow(/has no channel “result”[^]*It has “results”/)
  })
})

describe('a login', () => {
  async function withGetty(): Promise<VM> {
    const init = [
      'echo root:$(mkpasswd -m sha512 -S abcdefgh secret):19000:0:99999:7::: >/etc/shadow',
      "sed -i 's/-.bin.sh -i .dev.tty/\\/sbin\\/getty -L 0 console vt102/' /etc/inittab; kill -HUP 1",
    ]
    const { ready: _, ...options } = await linuxGuest({ init, agent: false })
    const machine = await VM.start({ ...options, ready: 'login: ', timeout: 60_000 })
    onTestFinished(() => machine.close().then(() => {}))
    return machine
  }

  test('answers what is asked, and a shell is there', async () => {
    const machine = await withGetty()
    await machine.ready()
    await expect(machine.login({ password: 'wrong' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringMatching(/user root was refused[^]*End of the console:/),
    })
    await machine.login({ user: 'root', password: 'secret' })
    expect((await machine.run('echo $USER')).stdout).toBe('root\n')
    // Who is logged in needs nothing more.
    await machine.login({ password: 'secret' })
  })
})

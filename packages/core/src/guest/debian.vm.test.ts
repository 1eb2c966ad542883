/** Tests with an unmodified distribution. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandContract } from '../../test/command-contract.ts'
import { noDebian, PASSWORD, USER } from '../../test/debian/debian-image.ts'
import { debianMachine } from '../../test/debian/debian-machine.ts'
import { fileContract } from '../../test/file-contract.ts'
import { waitContract } from '../../test/wait-contract.ts'
import type { VM } from '../machine/vm.ts'
import { Template } from '../template/template.ts'

const reason = noDebian()

describe.skipIf(reason !== undefined)(`Debian${reason === undefined ? '' : ` (${reason})`}`, () => {
  let template: Template
  let vm: VM
  beforeAll(async () => {
    // Sets the clock back before the save, to show that it is set after a restore.
    template = await Template.build(await debianMachine(), { prepare: (it) => it.run('date -s "1 day ago"') })
    vm = await template.start({ name: 'shared' })
  }, 900_000)
  afterAll(() => vm?.close())

  async function clone(): Promise<VM> {
    const machine = await template.start()
    onTestFinished(() => machine.close().then(() => {}))
    return machine
  }

  test('is up, without failed units', async () => {
    expect((await vm.waitForUnit('multi-user.target', { timeout: 60_000 })).tries).toBeGreaterThan(0)
    await vm.waitForUnit('ssh', { timeout: 60_000 })
    await vm.waitForPort(22)
    const { stdout } = await vm.run('systemctl is-system-running --wait; systemctl --failed --plain --no-legend')
    expect(stdout).toBe('running\n')
  })

  test('shows the journal of a failed unit', async () => {
    await vm.run('systemd-run --unit wrong sh -c "echo because >&2; exit 3"')
    await expect(vm.waitForUnit('wrong', { timeout: 30_000 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      message: expect.stringMatching(/failed[^]*because/),
    })
  })

  test('has the current time after a restore, and its journal is read, also after the end of a test', async () => {
    const over = new AbortController()
    const machine = await template.start({ signal: over.signal })
    onTestFinished(() => machine.close().then(() => {}))
    const { stdout } = await machine.run('date +%s; logger --tag said-by a-program')
    expect(Math.abs(Number(stdout) - Date.now() / 1000)).toBeLessThan(5)
    over.abort()
    await expect(machine.run('true')).rejects.toThrow('aborted')
    const lines = (await machine.readJournal(2 ** 20))?.split('\n') ?? []
    expect(lines).toContainEqual(expect.stringMatching(/systemd\[1\]: Reached target multi-user\.target/))
    expect(lines).toContainEqual(expect.stringMatching(/said-by\[\d+\]: a-program$/))
  })

  test('rejects at once for a missing or masked unit, and accepts a finished oneshot', async () => {
    await expect(vm.waitForUnit('no-such', { timeout: 60_000 })).rejects.toThrow(/There is no unit no-such\./)
    await vm.run('mkdir -p /run/systemd/system && ln -s /dev/null /run/systemd/system/hidden.service')
    await expect(vm.waitForUnit('hidden', { timeout: 60_000 })).rejects.toThrow(/Unit hidden is masked/)
    // multi-user.target wants the unit. Otherwise systemd would unload it.
    const { output } = await vm.waitForUnit('systemd-update-utmp-runlevel', { timeout: 60_000 })
    expect(output).toContain('over, with success')
  })

  test('rejects at once for cloud-init without a seed, which is disabled', async () => {
    await expect(vm.waitForCloudInit()).rejects.toThrow(/can no longer become true[^]*cloud-init is disabled \(\/run/)
  })

  test('transfers files in both directions', async () => {
    const data = randomBytes(300_000)
    await vm.writeFile('/root/data', data)
    expect((await vm.run('stat -c %s /root/data')).stdout).toBe('300000\n')
    expect(Buffer.compare(await vm.readFile('/root/data', { encoding: 'buffer' }), data)).toBe(0)
  })

  test('has a separate disk in each machine', async () => {
    const [one, two] = await Promise.all([clone(), clone()])
    await one.run('echo one >/etc/whose && sync')
    await two.run('echo two >/etc/whose && sync')
    expect(await one.readFile('/etc/whose')).toBe('one\n')
    expect((await vm.run('cat /etc/whose', { check: false })).exitCode).toBe(1)
  })

  test('answers more concurrent requests than it reads at once', async () => {
    const words = Array.from({ length: 6 }, (_, index) => `${index} ${'x'.repeat(3_000)}`)
    const results = await Promise.all(words.map((word) => vm.run(['echo', word], { via: 'guest-agent' })))
    expect(results.map(({ stdout }) => stdout)).toEqual(words.map((word) => `${word}\n`))
  })

  test('has an agent that can be restarted: its commands are lost, later ones work', async () => {
    await expect(vm.run('systemctl restart qemu-guest-agent; sleep 1000')).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      message: expect.stringContaining("QEMU's guest agent no longer knows it"),
    })
    expect((await vm.run('echo there')).stdout).toBe('there\n')
  })

  commandContract('guest-agent', () => vm)
  fileContract('guest-agent', () => vm)
  waitContract('guest-agent', () => vm, { listens: false })

  test('asks for a password on its console', async () => {
    await expect(vm.login({ user: USER, password: 'wrong' })).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
    await vm.login({ user: USER, password: PASSWORD })
    const { stdout } = await vm.run('id -un; pwd; ps -o tty= -p $PPID', { via: 'shell' })
    expect(stdout).toBe(`${USER}\n/home/${USER}\nttyS0\n`)
    vm.send('exit\n')
    await vm.expect('debian login: ')
  })

  test('changes an expired password at the login', async () => {
    await vm.run(`chage -d 0 ${USER}`)
    const error = await vm.login({ user: USER, password: PASSWORD }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'LOGIN_PASSWORD_EXPIRED' })
    vm.send('\x03\n')
    await vm.login({ user: USER, password: PASSWORD, newPassword: 'quite another horse' })
    expect((await vm.run('id -un', { via: 'shell' })).stdout).toBe(`${USER}\n`)
  })

  describe('after its login', () => {
    // Does nothing if another test has already logged in.
    beforeAll(() => vm.login({ user: USER, password: PASSWORD }), 120_000)

    test('drives a menu of whiptail by its terminal', async () => {
      const { terminal } = vm
      const menu = `--menu Disks 15 40 3 sda 'First disk' sdb 'Second disk' sdc 'Third disk'`
      vm.send(`stty rows 24 cols 80; whiptail ${menu} 2>/tmp/choice; clear; echo "chose"; cat /tmp/choice; echo "."\n`)
      await vm.expect('<Cancel>')
      expect(await terminal.text()).toMatch(
        /Disks[^]*sda +First disk[^]*sdb +Second disk[^]*sdc +Third disk[^]*<Ok> +<Cancel>/,
      )
      await terminal.press('ArrowDown')
      await terminal.press('enter')
      await vm.expect('chose\nsdb.')
      expect(await terminal.text()).toMatch(/^chose\nsdb\./)
    })

    // The user may not write to the kernel log.
    commandContract('shell', () => vm, { kernelLog: false })
    fileContract('shell', () => vm, { isRoot: false })
    waitContract('shell', () => vm, { listens: false })
  })
})

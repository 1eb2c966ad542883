/** Contains a test for each kind of failure of each matcher. The whole report of a run is compared. */
import { display } from '@coldboot/core'
import { describe, expect, test, type VM } from '@coldboot/vitest'

/** Turns off the prompt, which may come before or after the failure. One line, because the echo of a second one is mixed with output. */
const QUIET = "PS1=''; "

/** Waits until the machine has printed a prompt. */
async function settle(vm: VM): Promise<void> {
  vm.send(':\n')
  await vm.expect('coldboot# \x1b]133;B\x07', { view: 'raw', timeout: 50_000 })
}

describe('toPrintInOrder', () => {
  test('one that does not come', async ({ vm }) => {
    vm.send(`${QUIET}echo fi""rst; sleep 0.3; echo th""ird\n`)
    await expect(vm).toPrintInOrder(['first', 'second', /thi../], { timeout: 5_000 })
  })

  test('another order', async ({ vm }) => {
    vm.send(`${QUIET}echo th""ird; echo fi""rst; echo sec""ond\n`)
    await expect(vm).toPrintInOrder(['first', 'second', 'third'], { timeout: 5_000 })
  })

  test('what must not come', async ({ vm }) => {
    vm.send(`${QUIET}echo fi""rst; echo sec""ond\n`)
    await expect(vm).not.toPrintInOrder(['first', 'second'], { timeout: 50_000 })
  })
})

describe('toBoot', () => {
  test('until what does not come', async ({ vm }) => {
    await settle(vm)
    await expect(vm).toBoot({ until: 'login: ', timeout: 300 })
  })

  test('what must not boot', async ({ vm }) => {
    await expect(vm).not.toBoot()
  })
})

describe('toPanic', () => {
  test('one that does not come', async ({ vm }) => {
    await expect(vm).toPanic({ timeout: 300 })
  })

  test('another one', async ({ vm }) => {
    vm.send('sync; echo c >/proc/sysrq-trigger\n')
    await expect(vm).toPanic({ message: 'Unable to mount root fs', timeout: 50_000 })
  })

  test('one that must not come', async ({ vm }) => {
    vm.send('sync; echo c >/proc/sysrq-trigger\n')
    await expect(vm).not.toPanic({ timeout: 50_000 })
  })

  test('an end without one', async ({ vm }) => {
    vm.send('poweroff -f\n')
    await expect(vm).toPanic({ timeout: 50_000 })
  })
})

describe('toExit', () => {
  test('no end', async ({ vm }) => {
    await expect(vm).toExit({ timeout: 300 })
  })

  test('another code', async ({ vm }) => {
    vm.send('poweroff -f\n')
    await expect(vm).toExit({ code: 33, timeout: 50_000 })
  })

  test('another reason', async ({ vm }) => {
    vm.send('reboot -f\n')
    await expect(vm).toExit({ reason: 'guest-shutdown', timeout: 50_000 })
  })

  test('an end that must not come', async ({ vm }) => {
    vm.send('poweroff -f\n')
    await expect(vm).not.toExit({ timeout: 50_000 })
  })

  test('a panic', async ({ vm }) => {
    vm.send('sync; echo c >/proc/sysrq-trigger\n')
    await expect(vm).toExit({ timeout: 50_000 })
  })

  test('a mistake', async ({ vm }) => {
    // @ts-expect-error there is no such option
    await expect(vm).toExit({ exitCode: 33 })
  })
})

describe('toRun', () => {
  test('another exit code', async ({ vm }) => {
    await expect(vm).toRun('echo a line; ls /nowhere', { timeout: 50_000 })
  })

  test('no such command', async ({ vm }) => {
    await expect(vm).toRunSuccessfully('no-such-command', { timeout: 50_000 })
  })

  test('another output', async ({ vm }) => {
    await expect(vm).toRun('printf "one\\ntwo\\n"', { stdout: 'one\nthree\n', timeout: 50_000 })
  })

  test('an exit code that must not be', async ({ vm }) => {
    await expect(vm).not.toRunSuccessfully('true', { timeout: 50_000 })
  })

  test('a command that does not end', async ({ vm }) => {
    await expect(vm).toRun('echo begun; sleep 100', { timeout: 2_000 })
  })
})

describe('toHaveFile', () => {
  test('no such file', async ({ vm }) => {
    await vm.run('mkdir /tmp/there; touch /tmp/there/other')
    await expect(vm).toHaveFile('/tmp/there/file')
  })

  test('another content', async ({ vm }) => {
    await vm.run('printf "one\\ntwo\\n" >/tmp/file')
    await expect(vm).toHaveFile('/tmp/file', 'one\nthree\n')
  })

  test('other bytes', async ({ vm }) => {
    await vm.writeFile('/tmp/file', Uint8Array.of(0x7f, 0x45, 0x4c, 0x47))
    await expect(vm).toHaveFile('/tmp/file', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46))
  })

  test('a file that does not come', async ({ vm }) => {
    await expect(vm).toHaveFile('/tmp/late', 'done', { timeout: 500 })
  })

  test('a file that must not be', async ({ vm }) => {
    await vm.run('touch /tmp/file')
    await expect(vm).not.toHaveFile('/tmp/file')
  })
})

describe('toMatchBootLog', () => {
  test('no snapshot, in CI', async ({ vm }) => {
    await expect(vm).toMatchBootLog()
  })

  test('another boot', async ({ vm }) => {
    await expect(vm).toMatchBootLog()
  })

  test('a negation', async ({ vm }) => {
    await expect(vm).not.toMatchBootLog()
  })
})

describe('toMatchScreenshot', () => {
  test.override('vmOptions', {
    arch: 'x86_64',
    firmware: 'bios-256k.bin',
    devices: [display()],
    failOn: { noBootDevice: 'allow' },
  })

  test('no picture, in CI', async ({ vm }) => {
    await vm.expect('No bootable device.\n', { timeout: 50_000 })
    await expect(vm).toMatchScreenshot()
  })

  test('another picture', async ({ vm }) => {
    await vm.expect('No bootable device.\n', { timeout: 50_000 })
    await expect(vm).toMatchScreenshot({ timeout: 300 })
  })

  test('a picture that must not be', async ({ vm }) => {
    await expect(vm).not.toMatchScreenshot()
  })
})

describe('toMatchScreenshot without a screen', () => {
  test('a mistake', async ({ vm }) => {
    await expect(vm).toMatchScreenshot()
  })
})

describe('a forgotten await', () => {
  test('of toExit', async ({ vm }) => {
    void expect(vm).toExit({ code: 0 })
  })

  test('of toPrintInOrder', async ({ vm }) => {
    void expect(vm).toPrintInOrder(['never', 'ever'])
  })

  test('of toRun', async ({ vm }) => {
    void expect(vm).toRun('sleep 100')
  })
})

describe('a test that is too short', { timeout: 3_000 }, () => {
  test('for toExit', async ({ vm }) => {
    await expect(vm).toExit()
  })

  test('for toBoot', async ({ vm }) => {
    await settle(vm)
    await expect(vm).toBoot({ until: 'login: ' })
  })

  test('for toRun', async ({ vm }) => {
    await expect(vm).toRun('sleep 100')
  })

  test('for a window in which nothing is to happen', async ({ vm }) => {
    await expect(vm).not.toPanic({ timeout: 10_000 })
  })
})

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arbitraryArgs, type MachineOptions, VM, virtioRandom } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LinuxGuestOptions } from './guest-options.ts'
import { GUEST_PROMPT } from './init-script.ts'
import { linuxGuest } from './linux-guest.ts'

/** Starts a machine from a template; it is at its prompt. */
async function restore(guest: LinuxGuestOptions = {}, machine: MachineOptions = {}): Promise<VM> {
  return VM.start({ ...(await linuxGuest(guest)), timeout: 30_000, ...machine })
}

// Returns the output between the echo of the command and the next prompt.
async function run(vm: VM, command: string): Promise<string> {
  vm.send(`${command}\n`)
  await vm.expect(`${command}\n`)
  const { before } = await vm.expect(GUEST_PROMPT)
  return before.trimEnd()
}

describe('the shell on the console', () => {
  test('is a login shell of root with a controlling terminal', async () => {
    await using vm = await restore()
    expect(await run(vm, 'id -un; pwd; tty; cat /proc/sys/kernel/hostname')).toBe('root\n/root\n/dev/console\ncoldboot')
    // The terminal echoes input before the shell reads it. Only the command's output shows that Ctrl-C will reach the command.
    vm.send("sh -c 'echo on-$((40 + 2)); exec sleep 1000'\n")
    await vm.expect('on-42\n')
    vm.send('\x03')
    await vm.expect(GUEST_PROMPT)
    expect(await run(vm, 'echo status $?')).toBe('status 130')
  })

  test('keeps the exit status, accepts long lines, and continues an unfinished one', async () => {
    await using vm = await restore()
    expect(await run(vm, 'false')).toBe('')
    expect(await run(vm, 'echo status $?')).toBe('status 1')
    const long = `echo ${'x'.repeat(4000)} | wc -c`
    expect(await run(vm, long)).toBe('4001')
    vm.send('for i in 1 2; do\necho "line $i"\ndone\n')
    await vm.expect('line 1\nline 2\n')
  })

  test('marks its prompt in the raw bytes with the last exit status, and sends no queries to the terminal', async () => {
    await using vm = await restore()
    vm.send('(exit 7)\n')
    await vm.expect('\x1b]133;D;7\x07\x1b]133;A\x07coldboot# \x1b]133;B\x07', { view: 'raw' })
    expect(vm.hasPrinted(GUEST_PROMPT)).toBeDefined()
    expect(await readFile(vm.logFile, 'latin1')).not.toContain('\x1b[')
  })

  test('ends the machine immediately on exit', async () => {
    await using vm = await restore()
    vm.send('exit\n')
    expect(await vm.waitForExit({ timeout: 30_000 })).toMatchObject({ reason: 'guest-shutdown' })
  })

  test('is restarted when it is killed', async () => {
    await using vm = await restore()
    vm.send('echo before; kill -9 $$\n')
    await vm.expect('before\n')
    await vm.expect(GUEST_PROMPT)
    expect(await run(vm, 'echo again')).toBe('again')
  })

  test('lets any program in the guest end the machine', async () => {
    await using vm = await restore()
    vm.send('sh -c "poweroff; sleep 100"\n')
    expect(await vm.waitForExit({ timeout: 30_000 })).toMatchObject({ reason: 'guest-shutdown' })
  })
})

describe('the kernel', () => {
  test('keeps kernel messages off the console, but prints a complete panic', async () => {
    await using vm = await restore()
    expect(await run(vm, 'echo "<6>told to the log" >/dev/kmsg; dmesg | grep -c "told to the log"')).toBe('1')
    vm.send('echo c >/proc/sysrq-trigger\n')
    await vm.expect('Kernel panic - not syncing: sysrq triggered crash')
    await vm.expect('Call Trace:')
    await vm.expect(/Kernel Offset: .*\n/)
    expect(await vm.waitForExit({ timeout: 30_000 })).toMatchObject({ reason: 'guest-reset' })
  })

  test('prints kernel messages with a higher log level', async () => {
    await using vm = await VM.boot({ ...(await linuxGuest({ logLevel: 7 })) })
    await vm.ready()
    expect(vm.hasPrinted(/^\[ +\d+\.\d+\] Linux version /m)).toBeDefined()
  })
})

describe('the content of the guest', () => {
  let vm: VM
  beforeAll(async () => {
    const files = {
      '/opt/data.txt': 'hello\n',
      '/usr/bin/tool': '#!/bin/sh\necho "tool $1"\n',
      '/opt/current': { link: 'data.txt' },
    }
    const init = [
      'mount | grep -c "^tmpfs on /tmp"',
      'ip -o addr show lo | grep -c 127.0.0.1',
      'echo ready >/run/state',
    ]
    const modules = ['fs-iso9660', 'dummy']
    const devices = [virtioRandom(), arbitraryArgs('-device', 'virtio-net-pci')]
    vm = await restore({ files, init, hostname: 'web', modules }, { devices })
  }, 120_000)
  afterAll(() => vm?.close())

  test('includes the files of the options with their modes', async () => {
    expect(await run(vm, 'cat /opt/current; tool works; stat -c %a:%u /opt/data.txt /bin/tool')).toBe(
      'hello\ntool works\n644:0\n755:0',
    )
  })

  test('runs the lines of `init` before the prompt, after devices and mounts are ready', async () => {
    expect(vm.output).toMatch(/^1\n1\n/m)
    expect(await run(vm, 'cat /run/state; hostname')).toBe('ready\nweb')
  })

  test('loads requested modules with their dependencies, also rarely used ones', async () => {
    expect(await run(vm, 'lsmod | cut -d " " -f 1 | grep -xE "isofs|cdrom|dummy" | sort')).toBe('cdrom\ndummy\nisofs')
  })

  test('loads the drivers of devices without a request, and the module of a file system on a mount', async () => {
    expect(await run(vm, 'ls -1 /dev/hwrng /sys/class/net | grep -v dummy')).toBe(
      '/dev/hwrng\n\n/sys/class/net:\neth0\nlo',
    )
    expect(
      await run(vm, 'grep -c vfat /proc/filesystems; mount -t vfat none /mnt 2>/dev/null; grep vfat /proc/filesystems'),
    ).toBe('0\n\tvfat')
  })

  test('ends the machine when a line of `init` fails, and prints the reason', async () => {
    await using failing = await VM.boot({
      ...(await linuxGuest({ init: ['echo begin', 'ls /absent', 'echo not reached'] })),
    })
    await expect(failing.ready()).rejects.toThrow(
      /ls: \/absent: No such file[^]*the lines of `init` failed with status 1/,
    )
    expect(failing.hasPrinted('not reached')).toBeUndefined()
  })

  test('loads no driver without its device', async () => {
    await using bare = await VM.boot({ ...(await linuxGuest({ agent: false })), timeout: 30_000 })
    await bare.ready()
    expect(await run(bare, 'lsmod | wc -l')).toBe('1')
  })
})

test('builds the same bytes from the same options', async () => {
  const options: LinuxGuestOptions = { modules: ['vfat'], files: { '/opt/a': 'a' }, init: 'true' }
  const { cacheDirectory } = readEnvironment()
  const digests = new Set<string>()
  const paths = new Set<string>()
  for (let round = 0; round < 2; round++) {
    // Shares the cached kernels, but starts with no built images.
    const fresh = await mkdtemp(join(tmpdir(), 'same-bytes-'))
    await symlink(join(cacheDirectory, 'kernels'), join(fresh, 'kernels'))
    const { initramfs } = await linuxGuest({ ...options, cacheDirectory: fresh })
    paths.add(initramfs)
    digests.add(
      createHash('sha256')
        .update(await readFile(initramfs))
        .digest('hex'),
    )
    await rm(fresh, { recursive: true })
  }
  expect(paths.size).toBe(2)
  expect(digests.size).toBe(1)
})

/**
 * Code of the pages that no test runs, because it needs an image of a distribution, a schema or a terminal. The compiler checks its
 * types, and scripts/docs.test.ts compares the pages with it.
 */
import { resolve } from 'node:path'
import { blockDevice, channel, cloudInit, icount, rtc, tpm, userNetwork, VM, type VMOptions } from '@coldboot/core'
import { hostRoot, kernelOf, linuxGuest, rootfs } from '@coldboot/guest'
import { describe, expect, test } from '@coldboot/vitest'
import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export async function inside(vm: VM): Promise<unknown> {
  await vm.login({ user: 'root', password: 'secret' })
  await vm.run('id', { via: 'shell' })

  await vm.writeFile('/etc/motd', 'hello\n', { mode: 0o600 })
  const text = await vm.readFile('/etc/motd')
  const bytes = await vm.readFile('/boot/image', { encoding: 'buffer' })
  await vm.copyIn('fixtures', '/opt/fixtures')
  await vm.copyOut('/var/log', 'logs')

  await vm.waitUntil('systemctl is-system-running', { timeout: 60_000, interval: 500 })
  await vm.waitForPort(22)
  await vm.waitForUnit('ssh.service')
  await vm.waitForFile('/run/ready')

  const { tests } = await vm.runTests('/opt/selftests/run', { format: 'ktap' })

  await vm.debug()
  return [text.length, bytes.length, tests]
}

export async function backAndForth(vm: VM): Promise<VM> {
  const checkpoint = await vm.checkpoint()
  await vm.run('rm -rf /etc')
  await vm.revert(checkpoint)
  const other = await checkpoint.start({ name: 'other' })
  return other
}

export async function again(): Promise<string> {
  await using vm = await VM.resume('machine.coldboot', { name: 'again' })
  const { stdout } = await vm.run('dmesg')
  return stdout
}

export async function stopsForGdb(options: VMOptions): Promise<void> {
  const vm = await VM.start({ ...options, gdb: true })
  console.log(vm.gdb) // gdb -ex 'target remote /tmp/coldboot-1000/…/gdb.sock'
}

export async function dumps(vm: VM): Promise<void> {
  await vm.dumpMemory('hung-guest.vmcore')
}

export async function coversInTheReport(vm: VM): Promise<void> {
  await vm.run('node /srv/app/server.mjs --once', { env: { NODE_V8_COVERAGE: '/tmp/coverage' } })
  await vm.collectCoverage({ format: 'v8', from: '/tmp/coverage', sources: { '/srv/app': 'src' } })
}

export async function covers(vm: VM): Promise<void> {
  await vm.run('/opt/program', { env: { GCOV_PREFIX: '/tmp/counts' } })
  await vm.collectCoverage({ format: 'gcov', from: '/tmp/counts', to: 'coverage/gcov' })
}

interface Step {
  readonly step: number
}

/** A schema of a library that implements Standard Schema. */
interface StepSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => { readonly value: Step }
    readonly types?: { readonly input: unknown; readonly output: Step }
  }
}

export async function events(start: (results: unknown) => Promise<VM>, schema: StepSchema): Promise<void> {
  const vm = await start(channel('results'))

  // A program in the guest writes JSON lines to /dev/virtio-ports/results.
  for await (const event of vm.events('results', { schema })) console.log(event.step)
}

export async function bootsAnImage(): Promise<VM> {
  const vm = await VM.start({
    devices: [blockDevice('debian-12-generic-amd64.qcow2', { boot: true })],
    memory: '512M',
    guestAgent: true,
    ready: /login: $/,
    bootTimeout: 240_000,
  })
  return vm
}

describe('a disk of debootstrap', async () => {
  const guest = await linuxGuest({ modules: ['ext4', 'autofs4'], agent: false })
  const debian = {
    ...guest,
    kernelArgs: `${guest.kernelArgs} rdinit=/etc/coldboot/root root=/dev/vda rootfstype=ext4 rw norandmaps`,
    devices: [blockDevice('debian.ext4')],
    memory: '512M',
    guestAgent: true,
    ready: /login: $/,
    bootTimeout: 240_000,
  } satisfies VMOptions

  test.override('vmOptions', debian)

  test('serves ssh', async ({ vm }) => {
    await vm.waitForUnit('ssh')
    await vm.waitForPort(22)
    const { stdout } = await vm.run('systemctl --failed --plain --no-legend')
    expect(stdout).toBe('')
  })

  test('lets the user in', async ({ vm }) => {
    await vm.login({ user: 'tester', password: 'correct horse' })
    const { stdout } = await vm.run('id -un', { via: 'shell' })
    expect(stdout).toBe('tester\n')
  })
})

describe('a cloud image', () => {
  const server = {
    devices: [
      blockDevice('debian-12-generic-amd64.qcow2', { boot: true }),
      cloudInit({
        userData: {
          users: [{ name: 'ada', groups: 'adm', plain_text_passwd: 'secret', lock_passwd: false, shell: '/bin/bash' }],
          write_files: [{ path: '/etc/motd', content: 'hello\n' }],
          runcmd: ['systemctl start nginx'],
        },
        metaData: { 'local-hostname': 'server' },
      }),
    ],
    memory: '512M',
    ready: /login: $/,
    bootTimeout: 240_000,
    prepare: async (vm) => {
      await vm.login({ user: 'ada', password: 'secret' })
      await vm.waitForCloudInit()
    },
  } satisfies VMOptions

  test.override('vmOptions', server)
})

export async function isConfigured(vm: VM): Promise<void> {
  const { datasource, recoverableErrors } = await vm.waitForCloudInit({ timeout: 600_000 })
  expect(datasource).toContain('NoCloud')
  expect(recoverableErrors).toEqual([])
}

const kernel = await kernelOf({ dir: '../linux' })
const guest = await linuxGuest({ kernel, modules: ['btrfs'] })

test('boots my kernel', async ({ bootVM }) => {
  const vm = await bootVM(guest)
  const { stdout } = await vm.run('uname -r')
  expect(stdout).toBe(`${kernel.release}\n`)
})

const kernels = await Promise.all(['6.1', '6.12'].map((version) => kernelOf({ dir: `../linux-${version}` })))

describe.each(kernels)('Linux $release', (kernel) => {
  test.override('vmOptions', async () => {
    const guest = await linuxGuest({ kernel, modules: ['ext4'] })
    return { ...guest, devices: [blockDevice('disk.img')] }
  })

  test('mounts ext4', async ({ vm }) => {
    await vm.run('mke2fs /dev/vda && mount -t ext4 /dev/vda /mnt')
    await expect(vm).toHaveFile('/proc/mounts', /ext4/)
  })
})

test('two machines', async ({ bootVM }) => {
  const [server, client] = await Promise.all([bootVM({ name: 'server' }), bootVM({ name: 'client' })])
  expect([server.name, client.name]).toEqual(['server', 'client'])
})

const redact = [process.env['COLDBOOT_TEST_SECRET'] ?? '', /token-\w+/]
export default defineConfig({ plugins: [coldboot({ artifacts: { redact } })] })

test.override('artifacts', { retain: 'always' })

test.override('artifacts', { vmcore: true })

test('runs out of seconds', async ({ bootVM }) => {
  const vm = await bootVM({ devices: [icount(), rtc({ base: '2038-01-19T03:14:00Z', clock: 'vm' })] })
  await vm.run('sleep 60') // takes 2 s or so
})

test('measures what it boots', async ({ bootVM }) => {
  const measured = await linuxGuest({ kernel: await kernelOf({ deb: 'build/linux-image.deb' }) })
  const vm = await bootVM({ ...measured, firmware: 'uefi', devices: [tpm()] })
  const { stdout } = await vm.run('cat /sys/class/tpm/tpm0/pcr-sha256/9')
  expect(stdout).toMatch(/^[0-9A-F]{64}$/m)
})

// For a project, in the configuration. Plain data only.
coldboot({ vm: { memory: '512M' } })

// For a file or a describe. Any option, including devices.
test.override('vmOptions', { kernel: 'build/vmlinuz', initramfs: 'build/initramfs.cpio', ready: /login: $/ })
test.override('vmOptions', await linuxGuest({ modules: ['9p'] }))

const server = await rootfs('server.tar')

test('answers when its container image is started', async ({ bootVM }) => {
  const vm = await bootVM({ ...server, ready: 'listening on port 8080' })
  const { stdout } = await vm.run('wget -q -O - http://localhost:8080/')
  expect(stdout).toContain('welcome')
})

test('refuses a bad configuration', async ({ bootVM }) => {
  const vm = await bootVM(await rootfs('server.tar', { init: ['server', '--config', '/absent'] }))
  const { groups } = await vm.expect(/the command ended with status (?<status>\d+)/)
  expect(groups['status']).toBe('2')
})

const tools = await rootfs('alpine.tar.gz', { init: false })

test('runs in a new Alpine each time', async ({ bootVM }) => {
  const vm = await bootVM({ ...tools, devices: [...tools.devices, userNetwork()] })
  const { stdout } = await vm.run('cat /etc/alpine-release')
  expect(stdout).toMatch(/^3\./)
})

const distribution = {
  ...(await rootfs('debian', { modules: ['autofs4'] })),
  ready: /login: $/,
  bootTimeout: 240_000,
} satisfies VMOptions

test.override('vmOptions', distribution)

const host = await hostRoot({ show: ['build'] })

test('passes the tests of a driver that was just built', async ({ bootVM }) => {
  const vm = await bootVM(host)
  const { stdout } = await vm.run(['./driver-test', '--verbose'], { cwd: resolve('build') })
  expect(stdout).toContain('all tests passed')
})

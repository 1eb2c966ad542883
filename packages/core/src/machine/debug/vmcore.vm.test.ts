/** Tests of memory dumps, with their real readers. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { pvpanic } from '../../devices/pvpanic.ts'
import type { DumpEvent, MachineEvent } from '../../events/machine-event.ts'
import { liveMachines } from '../../host/machines/live-machines.ts'
import { hostArchitecture } from '../../options/architecture.ts'
import type { MachineOptions } from '../../spec/machine-options.ts'
import { startReady } from '../../template/start-ready.ts'
import type { VM } from '../vm.ts'

const exec = promisify(execFile)

/** Virtual start address of the kernel, to compute the physical address of a symbol. */
const KERNEL_MAP = 0xffff_ffff_8000_0000n
const isX86 = hostArchitecture() === 'x86_64'

function missing(command: string, ...words: string[]): string {
  try {
    execFileSync(command, words, { stdio: 'ignore' })
    return ''
  } catch {
    return ` (${command} ${words.join(' ')} does not work on this host)`
  }
}
/** The Python of the distribution, which has the modules of Debian packages. */
const PYTHON = '/usr/bin/python3'
const noGdb = missing('gdb', '--version')
const noKdump = missing(PYTHON, '-c', 'import kdumpfile')

const READ_KDUMP = `
import sys, kdumpfile
dump = kdumpfile.kdumpfile(sys.argv[1])
text = dump.read(kdumpfile.KDUMP_MACHPHYSADDR, int(sys.argv[2]), 200)
print(bytes(text).split(b'\\0')[0].decode())
`

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  return () => rmSync(folder, { recursive: true })
})
afterAll(() => expect(liveMachines()).toEqual([]))

async function options(guest: Parameters<typeof linuxGuest>[0] = {}): Promise<MachineOptions> {
  return { ...(await linuxGuest(guest)), timeout: 60_000, memory: '128M' }
}

async function start(more: MachineOptions = {}, guest: Parameters<typeof linuxGuest>[0] = {}): Promise<VM> {
  const vm = await startReady({ ...(await options(guest)), ...more })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** The version text of the kernel, and its address. */
async function banner(vm: VM): Promise<{ readonly address: bigint; readonly release: string }> {
  const { stdout } = await vm.run("grep ' linux_banner$' /proc/kallsyms; uname -r")
  const [, address = '', release = ''] = /^([0-9a-f]+) \w linux_banner\n(.*)\n$/.exec(stdout) ?? []
  return { address: BigInt(`0x${address}`), release }
}

/** A machine that panics, after its dump. @param before command before the panic */
async function panicked(more: MachineOptions, guest: Parameters<typeof linuxGuest>[0] = {}, before = 'true') {
  const events: MachineEvent[] = []
  const vmcore = join(folder, 'vmcore')
  const vm = await start({ vmcore, observer: () => (event) => void events.push(event), ...more }, guest)
  const facts = await banner(vm)
  await vm.run(before)
  await expect(vm.run('echo c >/proc/sysrq-trigger')).rejects.toMatchObject({
    code: 'GUEST_PANICKED',
    message: expect.stringMatching(/Call trace:\n {2}panic\+\S+\n {2}sysrq_handle_crash\+/),
  })
  return { vm, vmcore, events: () => events.filter((event): event is DumpEvent => event.kind === 'dump'), ...facts }
}

describe('a dump of a running guest', () => {
  let vm: VM
  beforeAll(async () => {
    vm = await startReady(await options())
  }, 120_000)
  afterAll(() => vm?.close())

  test.skipIf(!isX86 || noKdump !== '')(`has its physical memory for readers of kdump${noKdump}`, async () => {
    const { address, release } = await banner(vm)
    const file = join(folder, 'dump')
    await vm.dumpMemory(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(file).size).toBeLessThan(100 << 20)
    const { stdout } = await exec(PYTHON, ['-c', READ_KDUMP, file, String(address - KERNEL_MAP)])
    expect(stdout).toContain(`Linux version ${release} `)
    expect((await vm.run('echo on')).stdout).toBe('on\n')
  })

  test.skipIf(!isX86 || noGdb !== '')(`has its virtual memory and registers for gdb${noGdb}`, async () => {
    const { address, release } = await banner(vm)
    const file = join(folder, 'dump')
    await vm.dumpMemory(file, { format: 'elf' })
    const commands = ['-ex', 'info registers rip', '-ex', `x/s ${address}`]
    const { stdout } = await exec('gdb', ['-nx', '-batch', '-ex', `core-file ${file}`, ...commands])
    expect(stdout).toContain(`Linux version ${release} `)
    expect(stdout).toMatch(/^rip +0x[0-9a-f]+/m)
  })

  test('a dump of a running guest that is too large leaves no file, and the guest continues', async () => {
    const file = join(folder, 'dump')
    await expect(vm.dumpMemory(file, { maxBytes: 5000 })).rejects.toMatchObject({
      code: 'DUMP_FAILED',
      message: expect.stringMatching(/the file has \d+ bytes, more than `maxBytes` \(5000\)/),
    })
    expect(existsSync(file)).toBe(false)
    expect((await vm.run('echo on')).stdout).toBe('on\n')
    await expect(vm.dumpMemory(file, { format: 'elv' as 'elf' })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('a panic', () => {
  test('a panic leaves a dump of the memory, even if the kernel restarts at once', async () => {
    const { vm, vmcore, events } = await panicked({})
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-reset' })
    expect(events()).toEqual([
      { kind: 'dump', file: vmcore, bytes: statSync(vmcore).size, duration: expect.any(Number) },
    ])
    expect(readFileSync(vmcore).toString('latin1', 0, 8)).toBe('KDUMP   ')
  })

  test.skipIf(!isX86 || noKdump !== '')(
    `of a kernel that hangs leaves the memory when the machine ends${noKdump}`,
    async () => {
      const { vm, vmcore, address, release } = await panicked({}, {}, 'echo 0 >/proc/sys/kernel/panic')
      expect(vm.state).toBe('running')
      await vm.close()
      const { stdout } = await exec(PYTHON, ['-c', READ_KDUMP, vmcore, String(address - KERNEL_MAP)])
      expect(stdout).toContain(`Linux version ${release} `)
    },
  )

  test('a panic of a guest that may reboot leaves a dump of the memory, with a panic device', async () => {
    const { vm, events } = await panicked({ allowReboot: true, devices: [pvpanic()] }, { modules: ['pvpanic_pci'] })
    expect(await vm.close()).toMatchObject({ reason: 'host-qmp-quit' })
    expect(events()).toEqual([expect.objectContaining({ bytes: expect.any(Number) as number })])
  })

  test('a panic is distinguished from other ends of the machine', async () => {
    const vmcore = join(folder, 'vmcore')
    const vm = await start({ vmcore: { path: vmcore, maxBytes: 2 ** 30 } })
    vm.send('reboot -f\n')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-reset' })
    const other = await start({ vmcore })
    other.send('poweroff -f\n')
    expect(await other.waitForExit()).toMatchObject({ reason: 'guest-shutdown', exitCode: 0 })
    expect(existsSync(vmcore)).toBe(false)
  })
})

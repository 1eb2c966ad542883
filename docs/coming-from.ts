/**
 * Code of the tables in coming-from.md, and of the table about u-root in devices.md. The compiler checks that its names exist, and
 * scripts/docs-tables.test.ts compares the tables with it.
 */
import type { Writable } from 'node:stream'
import {
  arbitraryArgs,
  blockDevice,
  channel,
  DEFAULT_TIMEOUT,
  type Device,
  type Display,
  describeMachine,
  type EventsOptions,
  Network,
  type NetworkNic,
  p9Directory,
  readOnlyDirectory,
  userNetwork,
  type VM,
  type VMOptions,
  virtioRandom,
} from '@coldboot/core'
import { type LinuxGuestOptions, linuxGuest } from '@coldboot/guest'
import { expect, type MachineFixtures, test } from '@coldboot/vitest'

interface Names {
  readonly command: string
  readonly dir: string
  readonly image: string
  readonly name: string
  readonly path: string
  readonly pattern: string
  readonly port: number
  readonly script: string
  readonly source: string
  readonly target: string
  readonly text: string
  readonly unit: string
}

test('uses the fixtures', async ({ vm, bootVM }) => {
  const network = new Network()
  await Promise.all([bootVM(), bootVM({ name: 'server', devices: [network.nic()] })])
  await expect(vm).toMatchScreenshot()
})

export async function nixos(vm: VM, screen: Display, nic: NetworkNic, names: Names): Promise<VMOptions> {
  const { command, path, pattern, port, source, target, text, unit } = names
  await vm.run(command)
  await expect(vm).toRunSuccessfully(command)
  await expect(vm).not.toRunSuccessfully(command)
  await vm.run(command, { check: false })
  await vm.waitUntil(command)
  await vm.waitUntil(`! ${command}`)
  await vm.waitForUnit(unit)
  await vm.waitForPort(port)
  await vm.waitUntil(`! nc -z 127.0.0.1 ${port}`)
  await vm.waitForFile(path)
  await expect(vm).toEventuallyPrint(pattern)
  await expect(screen).toShowText(pattern)
  await screen.text({ ocr: true })
  await expect(screen).toShowText(pattern, { ocr: true })
  await screen.screenshot()
  await screen.type(text)
  await screen.press('ctrl-alt-f2')
  const [x, y] = [1, 1]
  await screen.move({ x, y })
  await screen.click({ x, y })
  vm.send(text)
  await vm.copyIn(source, target)
  await vm.copyOut(source, target)
  userNetwork({ forward: [{ guest: 80 }] })
  await vm.powerButton()
  await vm.waitForExit()
  await vm.powerCut()
  await vm.powerOn()
  await vm.reset()
  await vm.ready()
  await nic.down()
  await nic.up()
  const invariant = (): Promise<unknown> => vm.run(command)
  const body = (): Promise<unknown> => vm.waitForUnit(unit)
  await vm.during(invariant, body)
  await vm.debug()
  return { allowReboot: true }
}

export async function openQA(vm: VM, screen: Display, { image }: Names): Promise<unknown> {
  await expect(vm).toMatchScreenshot({ name: 'needle', timeout: 30_000 })
  await expect(vm).toMatchScreenshot({ name: ['one', 'other'] })
  const area = { x: 0, y: 0, width: 8, height: 16 }
  await expect(vm).toMatchScreenshot({ area, mask: [area], maxDiffPixels: 1 })
  await screen.type('text')
  await using key = await screen.hold('shift')
  await screen.drag({ x: 1, y: 1 }, { x: 2, y: 2 })
  const result = [key, (await vm.run('command')).stdout, (await vm.run('command', { check: false })).exitCode]
  await vm.run('command')
  await vm.expect('pattern')
  const [cdrom, boot, tftp, bootFile] = [true, true, 'directory', 'boot.ipxe']
  const devices = [blockDevice(image, { cdrom, boot }), userNetwork({ tftp, bootFile })]
  const checkpoint = await vm.checkpoint()
  await vm.revert(checkpoint)
  return [devices, result, process.env.NAME]
}

export async function pexpect(vm: VM, bootVM: MachineFixtures['bootVM'], serialOutput: Writable): Promise<unknown> {
  await bootVM({ serialOutput, logFile: 'console.log' })
  await vm.expect('login: ')
  await vm.expect('text')
  const { before, text, groups, captures } = await vm.expect('prompt', { timeout: 5_000 })
  vm.send('text\n')
  vm.send('text')
  vm.send('\x03')
  await vm.terminal.press('ctrl-c')
  await vm.close()
  return [before, text, groups, captures]
}

export async function uroot(vm: VM, network: Network, more: LinuxGuestOptions, names: Names): Promise<unknown> {
  const { command, dir, name, pattern, script } = names
  const format = 'tap'
  await vm.runTests(command, { format })
  await vm.run(script)
  const { files, modules } = more
  const { kernel, initramfs, kernelArgs, ...guest } = await linuxGuest({ files, modules })
  const [boot, tag, timeout] = [false, 'shared', DEFAULT_TIMEOUT]
  const devices: readonly Device[] = [
    p9Directory(dir),
    p9Directory(dir, { boot, tag }),
    readOnlyDirectory(dir),
    channel(name),
    virtioRandom(),
    arbitraryArgs('-snapshot'),
    network.nic(),
  ]
  await vm.expect(pattern)
  await vm.expect(pattern, { timeout })
  const own: Device = { name: 'own', qemuArgs: () => [], kernelArgs: () => [] }
  const options: VMOptions = { ...guest, kernel, initramfs, kernelArgs, qemu: 'qemu', devices: [...devices, own] }
  describeMachine({ ...options, timeout, timeoutMultiplier: 2 })
  return [vm.commandLine, vm.commandLineQuoted, vm.timeout]
}

type Schema = NonNullable<EventsOptions['schema']>

export function events(vm: VM, { name }: Names, schema: Schema): unknown {
  return vm.events(name, { schema })
}

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linuxGuest } from '@coldboot/guest'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { channel } from '../../devices/channel.ts'
import type { VM } from '../../machine/vm.ts'
import type { MachineOptions } from '../../spec/machine-options.ts'
import { startReady } from '../start-ready.ts'
import type { VMOptions } from '../vm-options.ts'
import { sendMessage } from './keeper-messages.ts'

const SCRIPT = fileURLToPath(new URL('../../../dist/template/keeper/keeper-process.js', import.meta.url))

let guest: MachineOptions
let folder: string
let keeper: ChildProcess
let starter: string
/** The parent folder of the keeper's private directories. */
let directories: string

beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
}, 300_000)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  starter = join(folder, 'socket')
  directories = join(folder, `coldboot-${process.getuid?.() ?? 0}`)
  keeper = spawn(process.execPath, [SCRIPT, join(folder, 'keeper')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  })
  await once(keeper.stdout ?? keeper, 'data')
})

afterEach(async () => {
  keeper.stdin?.destroy()
  if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, 'exit')
  rmSync(folder, { recursive: true, force: true })
})

/** Starts machines until one comes from the keeper. */
async function kept(options: VMOptions = guest) {
  for (let i = 0; i < 6; i++) {
    const vm = await startReady({ ...options, pool: true }, { keeper: starter })
    if (parentOf(vm.pid) === keeper.pid) return vm
    await vm.close()
  }
  throw new Error('no machine came from the keeper')
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Resolves when the keeper has removed the private directories of all machines, pooled ones included. */
async function emptied(): Promise<void> {
  const socket = connect(join(folder, 'keeper'))
  sendMessage(socket, { kind: 'end' })
  await once(socket.resume(), 'close')
}

function privateDirectories(): readonly string[] {
  return readdirSync(directories).filter((name) => name !== 'machines')
}

test('a machine of the keeper runs commands, prints, and ends with its status', async () => {
  const vm = await kept()
  expect((await vm.run('echo $((6 * 7))')).stdout).toBe('42\n')
  vm.send('echo on-$((1))-console\n')
  await vm.expect('on-1-console')
  expect(vm.output).toContain('on-1-console')
  vm.send('poweroff -f\n')
  expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-shutdown', exitCode: 0 })
  // The log can be read until the machine is closed.
  expect(existsSync(vm.logFile)).toBe(true)
  await vm.close()
  expect(existsSync(vm.logFile)).toBe(false)
})

test('a machine of a template with layers comes from the keeper too', async () => {
  const prepare = ['one', 'two'].map((text) => (vm: VM) => vm.run(`echo ${text} >>/tmp/text`))
  const vm = await kept({ ...guest, prepare, templateKey: ['one', 'two'] })
  expect((await vm.run('cat /tmp/text')).stdout).toBe('one\ntwo\n')
  await vm.close()
})

test('all data of a machine arrives, also after its end', async () => {
  const data = randomBytes(3_000_000)
  const port = channel('results')
  const vm = await kept({ ...guest, devices: [port] })
  await vm.writeFile('/tmp/data', data)
  expect(data.equals(await vm.readFile('/tmp/data', { encoding: 'buffer' }))).toBe(true)
  const received = Buffer.alloc(data.length)
  let length = 0
  vm.send('cat /tmp/data > /dev/virtio-ports/results\n')
  for await (const chunk of port.of(vm).stream()) {
    length += (chunk as Buffer).copy(received, length)
    if (length === data.length) break
  }
  expect(received.equals(data)).toBe(true)
  // Only kernel messages: other data of a channel or terminal is lost if the guest powers off before it is sent.
  vm.send(
    'dmesg -n 8; echo on >/proc/sys/kernel/printk_devkmsg; for i in $(seq 300); do echo "line $i" >/dev/kmsg; done; poweroff -f\n',
  )
  await vm.waitForExit()
  expect(vm.output.match(/(?<=\] line )\d+/g)).toEqual(Array.from({ length: 300 }, (_, index) => String(index + 1)))
  await vm.close()
})

test('a machine and its files do not outlive the connection of its owner', async () => {
  const vm = await kept()
  const other = await kept()
  expect(vm.pid).not.toBe(other.pid)
  await Promise.all([vm.close(), other.close()])
  await emptied()
  expect(privateDirectories()).toEqual([])
})

test('a machine ends with a killed keeper', async () => {
  const vm = await kept()
  keeper.kill('SIGKILL')
  expect(await vm.waitForExit()).toMatchObject({ reason: 'qemu-killed', signal: 'SIGKILL' })
  await vm.close()
  // A start works without the keeper.
  const next = await startReady({ ...guest, pool: true }, { keeper: starter })
  expect((await next.run('echo again')).stdout).toBe('again\n')
  await next.close()
})

test('the keeper ends its machines and removes its folder when its standard input ends', async () => {
  const vm = await kept()
  keeper.stdin?.destroy()
  await once(keeper, 'exit')
  expect(await vm.waitForExit()).toMatchObject({ reason: 'qemu-killed' })
  await vm.close()
  expect(existsSync(folder)).toBe(false)
})

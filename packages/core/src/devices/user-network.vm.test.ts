import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { quickGuest } from '../../test/quick-guest.ts'
import { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { templateStore } from '../template/store/template-store.ts'
import { Template } from '../template/template.ts'
import { Network } from './network.ts'
import { userNetwork } from './user-network.ts'

// The DHCP client of busybox needs a script to apply the lease.
const DHCP_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface
ip route add default via $router
echo "$hostname" >/tmp/hostname
`
const ONLINE = 'ip link set eth0 up && udhcpc -q -n -i eth0 -s /etc/dhcp -O hostname'
const SERVE = 'mkdir -p /tmp/www && echo hello from the guest >/tmp/www/index.html && httpd -p 80 -h /tmp/www'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const quick = quickGuest(join(folder, 'quick.img'))
let guest: MachineOptions
beforeAll(async () => {
  const files = { '/etc/dhcp': { content: DHCP_SCRIPT, mode: 0o755 } }
  guest = await linuxGuest({ modules: ['virtio_net', 'af_packet'], files })
}, 300_000)

async function start(options: MachineOptions): Promise<VM> {
  const vm = await startReady({ ...guest, timeout: 60_000, ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** A server on 127.0.0.1 of the host that counts its connections. */
async function hostServer(): Promise<{ port: number; visits: () => number; server: Server }> {
  let visits = 0
  const server = createServer((socket) => {
    visits++
    socket.end('HTTP/1.0 200 OK\r\n\r\nhello from the host\n')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, visits: () => visits, server }
}

describe('a forward', () => {
  test('reaches the guest, which has no access to the outside', async () => {
    const net = userNetwork({ forward: [{ guest: 80 }], hostname: 'inside' })
    const vm = await start({ devices: [net] })
    await vm.run(`${ONLINE} && ${SERVE}`)
    const answer = await fetch(`http://127.0.0.1:${net.hostPort(80)}/`)
    expect(await answer.text()).toBe('hello from the guest\n')
    expect(vm.portForwards).toEqual([{ protocol: 'tcp', guest: 80, host: net.hostPort(80) }])
    expect((await vm.run('cat /tmp/hostname')).stdout).toBe('inside\n')
    const { port, visits } = await hostServer()
    expect((await vm.run(`nc -w 2 10.0.2.2 ${port} </dev/null`, { check: false })).exitCode).toBe(1)
    expect(visits()).toBe(0)
  })

  test('a forward without restriction lets the guest reach the host too', async () => {
    const vm = await start({ devices: [userNetwork({ restrict: false, cidr: '10.9.0.0/16' })] })
    await vm.run(ONLINE)
    const { port, visits } = await hostServer()
    expect((await vm.run(`wget -q -O - http://10.9.0.2:${port}/`)).stdout).toBe('hello from the host\n')
    expect(visits()).toBe(1)
  })

  test('a forward of one device in two machines reaches each of them', async () => {
    const net = userNetwork({ forward: [{ guest: 80 }], hostname: 'inside' })
    const machines = await Promise.all(['one', 'two'].map((name) => start({ name, devices: [net] })))
    const answers = machines.map(async (vm) => {
      await vm.run(`${ONLINE} && ${SERVE} && echo ${vm.name} >/tmp/www/index.html`)
      return (await fetch(`http://127.0.0.1:${net.of(vm).hostPort(80)}/`)).text()
    })
    expect(await Promise.all(answers)).toEqual(['one\n', 'two\n'])
    expect(() => net.hostPort(80)).toThrow(/part of 2 running machines: "one", "two"/)
  })

  test('a forward on a port that another process takes later fails the start, and keeps the template', async () => {
    const { port, server } = await hostServer()
    const free = async (): Promise<void> => void (await once(server.close(), 'close'))
    await free()
    const forwarding = userNetwork({ forward: [{ guest: 80, host: port }] })
    const template = await Template.build({ ...quick, devices: [...quick.devices, forwarding] })
    onTestFinished(() => template.remove())
    await once(server.listen(port, '127.0.0.1'), 'listening')
    await expect(template.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      hint: expect.stringContaining('Another process of the host uses the port') as string,
    })
    expect(await templateStore().find(template.key)).toHaveProperty('memoryFile')
    await free()
    const vm = await template.start()
    await vm.close()
  })

  test('a forward on a port that is in use fails the start with the error of QEMU', async () => {
    const { port } = await hostServer()
    const start = VM.boot({ ...guest, devices: [userNetwork({ forward: [{ guest: 80, host: port }] })] })
    await expect(start).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining(`Could not set up host forwarding rule 'tcp:127.0.0.1:${port}-:80'`),
    })
  })
})

test('a machine only listens on its forwards, on 127.0.0.1', async ({ skip }) => {
  if (process.platform !== 'linux') skip('needs /proc')
  await using network = new Network()
  const net = userNetwork({ forward: [{ guest: 80 }, { guest: 53, protocol: 'udp' }] })
  const vm = await VM.boot({ ...quick, devices: [...quick.devices, network.nic(), net] })
  onTestFinished(() => vm.close().then(() => {}))
  const expected = net.forwards.map(({ protocol, host }) => `${protocol} 127.0.0.1:${host}`)
  expect(socketsOf(vm.pid).toSorted()).toEqual(expected.toSorted())
})

/** Reachable sockets of a process: listening TCP, bound UDP, named Unix sockets. */
function socketsOf(pid: number): string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  const inodes = new Set(links.flatMap((link) => /socket:\[(\d+)\]/.exec(link)?.[1] ?? []))
  const inet = (file: string, isOpen: (state: string) => boolean) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? '') && isOpen(fields[3] ?? ''))
      .map((fields) => `${file} ${readable(fields[1] ?? '')}`)
  const unix = readFileSync(`/proc/${pid}/net/unix`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[6] ?? '') && fields[7] !== undefined)
    .map((fields) => `unix ${fields[7]}`)
  const isListening = (state: string): boolean => state === '0A'
  return [
    ...['tcp', 'tcp6'].flatMap((file) => inet(file, isListening)),
    ...['udp', 'udp6'].flatMap((file) => inet(file, () => true)),
    ...unix,
  ]
}

/** `0100007F:1F90` → `127.0.0.1:8080`. */
function readable(address: string): string {
  const [ip = '', port = ''] = address.split(':')
  const bytes = ip.match(/../g)?.map((it) => Number.parseInt(it, 16)) ?? []
  return `${bytes.toReversed().join('.')}:${Number.parseInt(port, 16)}`
}

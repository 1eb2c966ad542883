import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { parseOptionString, qemuArgsOf } from '../../test/device-arguments.ts'
import { buildCommandLine } from '../qemu/command-line.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import type { Device, PortForward } from './device.ts'
import { type UserNetworkOptions, userNetwork } from './user-network.ts'

describe('the complete arguments', () => {
  test('the complete arguments by default: closed', () => {
    expect(qemuArgsOf(userNetwork())).toEqual([
      ...[
        '-netdev',
        'user,id=net0,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15,restrict=on',
      ],
      ...['-device', 'virtio-net-pci,id=nic0,netdev=net0,romfile='],
    ])
  })

  test('the complete arguments with all options', () => {
    const device = userNetwork({
      forward: [{ guest: 80 }, { guest: 53, protocol: 'udp', host: 5353 }],
      restrict: false,
      cidr: '192.168.0.0/16',
      hostname: 'guest',
      dns: '192.168.7.9',
      model: 'e1000',
      mac: '52:54:00:AA:00:01',
    })
    expect(qemuArgsOf(device, { wiring: 'standalone' })).toEqual([
      '-netdev',
      'user,id=net0,ipv6=off,net=192.168.0.0/16,host=192.168.0.2,dns=192.168.7.9,dhcpstart=192.168.0.15' +
        ',restrict=off,hostname=guest,hostfwd=tcp:127.0.0.1:0-:80,hostfwd=udp:127.0.0.1:5353-:53',
      ...['-device', 'e1000,id=nic0,netdev=net0,mac=52:54:00:aa:00:01,romfile='],
    ])
  })
})

test('boots a file of a directory over the network', () => {
  const tftp = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(tftp, { recursive: true }))
  writeFileSync(join(tftp, 'boot.ipxe'), '#!ipxe\n')
  const [, netdev, , nic] = qemuArgsOf(userNetwork({ tftp, bootFile: 'boot.ipxe' }))
  expect(netdev).toMatch(new RegExp(`,restrict=on,tftp=${tftp},bootfile=boot.ipxe$`))
  // Without IPv6, the firmware waits for its router.
  expect(netdev).toContain(',ipv4=on,ipv6=on,')
  expect(nic).toBe('virtio-net-pci,id=nic0,netdev=net0,bootindex=1')
  expect(qemuArgsOf(userNetwork({ tftp })).at(-1)).toBe('virtio-net-pci,id=nic0,netdev=net0,romfile=')
  expect(qemuArgsOf(userNetwork({ bootFile: 'http://10.0.2.2/a', boot: false })).at(-1)).toMatch(/romfile=$/)

  const told = (options: UserNetworkOptions) => () => userNetwork(options)
  expect(told({ bootFile: 'boot.ipxe' })).toThrow(/`bootFile` "boot.ipxe" is given without `tftp`/)
  expect(told({ tftp, bootFile: 'boot.ipxf' })).toThrow(/bootFile` does not exist: .*did you mean `boot.ipxe`/)
  expect(told({ tftp, bootFile: '../../../etc/passwd' })).toThrow(/is not in the directory/)
  expect(told({ tftp: join(tftp, 'boot.ipxe') })).toThrow(/userNetwork: `tftp` is not a directory/)
  expect(told({ bootFile: `http://${'x'.repeat(127)}` })).toThrow(/at most 127 bytes/)
})

test('is the boot device of a machine that has nothing else', () => {
  const cards = (options: MachineOptions) => {
    const spec = resolveOptions({ arch: 'x86_64', accelerator: 'tcg', ...options })
    const input = { qemu: ['qemu'], directory: '/private', wiring: 'inherited', sandbox: false } as const
    return buildCommandLine({ spec, ...input }).argv.filter((argument) => argument.startsWith('virtio-net'))
  }
  const device = userNetwork()
  expect(cards({ devices: [device] })).toEqual(['virtio-net-pci,id=nic0,netdev=net0'])
  const disk: Device = { name: 'disk', bootable: true, qemuArgs: () => [] }
  expect(cards({ devices: [disk, device] })).toEqual(['virtio-net-pci,id=nic0,netdev=net0,romfile='])
  const first = [userNetwork({ boot: true }), userNetwork({ boot: true })]
  expect(() => cards({ devices: first })).toThrow(/both have boot first/)
})

test.each([
  [{ forward: [{ guest: 0 }] }, /forward: `guest` must be a whole number from 1 to 65535/],
  [{ forward: [{ guest: 80, host: 0 }] }, /`host` must be a whole number from 1/],
  [{ forward: [{ guest: 80, address: '0.0.0.0' }] }, /Unknown option `address`/],
  [{ forward: [{ guest: 80 }, { guest: 80 }] }, /guest port tcp 80 is forwarded twice/],
  [
    {
      forward: [
        { guest: 80, host: 8080 },
        { guest: 81, host: 8080 },
      ],
    },
    /host port tcp 8080 is forwarded twice/,
  ],
  [{ forward: 80 }, /`forward` must be a list of forwards/],
  [{ cidr: '10.0.2.0' }, /`cidr` must be an IPv4 network/],
  [{ cidr: '10.0.2.5/24' }, /`cidr` must be/],
  [{ cidr: '10.0.2.0/28' }, /`cidr` must be/],
  [{ cidr: '010.0.2.0/24' }, /`cidr` must be/],
  [{ cidr: 'fd00::/64' }, /`cidr` must be/],
  [{ dns: '8.8.8.8' }, /`dns` 8\.8\.8\.8 is not in the network 10\.0\.2\.0\/24\n.*inside `cidr`/],
  [{ hostname: 'a b' }, /`hostname` must be a host name/],
  [{ hostname: 'a,restrict=off' }, /`hostname` must be a host name/],
  [{ restrict: 'off' }, /`restrict` must be true or false/],
  [{ model: 'ne2000' }, /`model` must be one of/],
  [{ mac: '01:00:00:00:00:00' }, /multicast address/],
])('%j is refused', (options, reason) => {
  expect(() => userNetwork(options as unknown as UserNetworkOptions)).toThrow(reason)
})

test('accepts no value that adds an option', () => {
  const text = fc.oneof(
    fc.string(),
    fc.domain(),
    fc.ipV4(),
    fc.constantFrom('a,b', 'x,restrict=off', 'a\nb', '10.0.0.0/8'),
  )
  fc.assert(
    fc.property(fc.record({ hostname: text, cidr: text, dns: text }, { requiredKeys: [] }), (options) => {
      let device: ReturnType<typeof userNetwork>
      try {
        device = userNetwork(options)
      } catch {
        return
      }
      const { host: _host, dhcpstart: _guest, ...values } = parseOptionString(qemuArgsOf(device)[1] ?? '')
      const { hostname, cidr: net = '10.0.2.0/24', dns = values['dns'] } = options
      const given = { '': 'user', id: 'net0', ipv6: 'off', net, dns, restrict: 'on' }
      expect(values).toEqual(hostname === undefined ? given : { ...given, hostname })
    }),
    { numRuns: 1_000 },
  )
})

test('rejects two with the same host port in one machine', () => {
  const devices = [80, 81].map((guest) => userNetwork({ forward: [{ guest, host: 8080 }] }))
  expect(() => resolveOptions({ firmware: 'f', devices })).toThrow(
    /Devices userNetwork and userNetwork of machine "vm" both have host port tcp 8080/,
  )
})

test('refuses a second machine with the same host port until the first one ends', async () => {
  const device = userNetwork({ forward: [{ guest: 80, host: 8080 }] })
  const usernet = 'Hub -1 (net0):\r\n  TCP[HOST_FORWARD]  11  127.0.0.1 8080  10.0.2.15  80  0  0\r\n'
  const machine = playMachine(() => usernet, ['net0', 'nic0'])
  await device.attach?.(machine.context)
  const refused = { code: 'DEVICE_CONFLICT', message: expect.stringMatching(/port 8080 .*"vm"/) as string }
  await expect(device.prepare?.(undefined as never)).rejects.toMatchObject(refused)
  expect(() => device.requireFree?.()).toThrow(expect.objectContaining(refused))
  await machine.exit()
  device.requireFree?.()
})

describe('ports that the system picked', () => {
  const answer = (port: number) =>
    `Hub -1 (net0):\r\n  TCP[HOST_FORWARD]  11  127.0.0.1 ${port}  10.0.2.15  80  0  0\r\n`
  const play = (port: number, machineName = 'vm') => {
    const published: PortForward[] = []
    const machine = playMachine(() => answer(port), ['net0', 'nic0'])
    return {
      ...machine,
      published,
      context: { ...machine.context, machineName, publishPort: (forward: PortForward) => void published.push(forward) },
    }
  }

  test('are read, published, and found by the guest port', async () => {
    const device = userNetwork({ forward: [{ guest: 80 }] })
    const machine = play(40_001)
    await device.attach?.(machine.context)
    const forward = { protocol: 'tcp', guest: 80, host: 40_001 }
    expect(device.hostPort(80)).toBe(40_001)
    expect(device.forwards).toEqual([forward])
    expect(machine.published).toEqual([forward])
    expect(() => device.hostPort(81)).toThrow(/Port tcp 81 of machine "vm" is not forwarded \(forwarded: tcp 80\)/)
    expect(() => device.hostPort(80, 'udp')).toThrow(/Port udp 80/)
  })

  test('ports that the system picked of two machines with the same device are separate', async () => {
    const device = userNetwork({ forward: [{ guest: 80 }] })
    const [first, second] = [play(40_001, 'first'), play(40_002, 'second')]
    await device.attach?.(first.context)
    await device.attach?.(second.context)
    expect([device.of(first.vm).hostPort(80), device.of(second.vm).hostPort(80)]).toEqual([40_001, 40_002])
    expect(() => device.hostPort(80)).toThrow(/part of 2 running machines: "first", "second"/)
  })

  test('are missing before the start, and if QEMU does not report them', async () => {
    const device = userNetwork({ forward: [{ guest: 81 }] })
    expect(() => device.hostPort(81)).toThrow(/not part of a started machine/)
    await expect(device.attach?.(play(40_001).context)).rejects.toThrow(
      /did not report the host port that is forwarded to tcp 81/,
    )
  })
})

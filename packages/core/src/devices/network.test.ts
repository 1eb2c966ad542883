import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { prefixed } from '../network/frames/frame-reader.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { Network, type NetworkMember, type NicOptions } from './network.ts'
import type { NetworkNic } from './network-nic.ts'

function open(): Network {
  const network = new Network()
  onTestFinished(() => network.close())
  return network
}

interface PlayedCard {
  readonly nic: NetworkNic
  readonly guest: Duplex
  readonly commands: [string, unknown][]
  exit(): Promise<void>
  send(destination: string | PlayedCard, payload: string): void
  /** Returns the payloads that arrived since the last call. */
  take(): string[]
}

/** A fake machine with a card: the part of it that the network needs. */
async function plug(nic: NetworkNic, machineName: string): Promise<PlayedCard> {
  const commands: [string, unknown][] = []
  const machine = playMachine((...command) => commands.push(command), ['net0', 'nic0'])
  await nic.prepare()
  await nic.attach({ ...machine.context, machineName })
  const [guest] = machine.theirs as [Duplex]
  let received = Buffer.alloc(0)
  guest.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  return {
    nic,
    guest,
    commands,
    exit: () => machine.exit(),
    send(destination, payload) {
      const to = typeof destination === 'string' ? destination : destination.nic.mac
      const header = Buffer.from((to + nic.mac).replaceAll(':', ''), 'hex')
      guest.write(prefixed(Buffer.concat([header, Buffer.from([0x88, 0xb5]), Buffer.from(payload)])))
    },
    take() {
      const payloads: string[] = []
      for (let start = 0; start < received.length; ) {
        const end = start + 4 + received.readUInt32BE(start)
        payloads.push(received.toString('latin1', start + 18, end))
        start = end
      }
      received = Buffer.alloc(0)
      return payloads
    },
  }
}

async function plugThree(network: Network): Promise<[PlayedCard, PlayedCard, PlayedCard]> {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => plug(network.nic(), name)))
  return [a, b, c] as [PlayedCard, PlayedCard, PlayedCard]
}

const ALL = 'ff:ff:ff:ff:ff:ff'

describe('the complete arguments of a card', () => {
  const stream = expect.stringMatching(/^stream,id=net0,server=off,addr\.type=fd,addr\.str=\d+$/)

  test('all arguments of a card on an inherited descriptor', () => {
    const nic = open().nic({ mac: '52:54:00:00:00:01' })
    expect(qemuArgsOf(nic)).toEqual([
      ...['-netdev', stream],
      ...['-device', 'virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:00:00:01,romfile='],
    ])
    expect(qemuArgsOf(nic, { arch: 's390x' })).toEqual([
      ...['-netdev', stream],
      ...['-device', 'virtio-net-ccw,id=nic0,netdev=net0,mac=52:54:00:00:00:01'],
    ])
  })

  test('all arguments of a card that the firmware boots from', () => {
    const nic = open().nic({ mac: '52:54:00:00:00:01', boot: true })
    expect(qemuArgsOf(nic)).toContain('virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:00:00:01,bootindex=1')
  })

  test('all arguments of a card of another model', () => {
    const nic = open().nic({ mac: '52:54:00:00:00:01', model: 'e1000' })
    expect(qemuArgsOf(nic)).toContain('e1000,id=nic0,netdev=net0,mac=52:54:00:00:00:01,romfile=')
    expect(() => qemuArgsOf(nic, { arch: 's390x' })).toThrow(
      /model e1000 is a PCI card, but s390x machines have no PCI/,
    )
  })

  test('in a command line for a shell, each on a separate hub', () => {
    const network = open()
    const args = qemuArgsOf([network.nic(), network.nic()], { wiring: 'standalone' })
    expect(args.filter((it) => it.startsWith('hubport'))).toEqual([
      'hubport,id=net0,hubid=0',
      'hubport,id=net1,hubid=1',
    ])
  })
})

describe('addresses', () => {
  test('are generated in sequence, the same for each network that is open alone', async () => {
    const first = new Network()
    const macs = [first.nic(), first.nic()].map(({ mac }) => mac)
    expect(macs).toEqual(['52:54:63:00:00:00', '52:54:63:00:00:01'])
    await first.close()
    const second = open()
    expect([second.nic(), second.nic()].map(({ mac }) => mac)).toEqual(macs)
  })

  test('differ between networks that are open together, so that a machine may be in both', () => {
    const [lan, wan] = [open(), open()]
    const devices = [lan.nic(), lan.nic(), wan.nic(), wan.nic()]
    expect(new Set(devices.map(({ mac }) => mac)).size).toBe(4)
    expect(() => resolveOptions({ firmware: 'f', devices })).not.toThrow()
  })

  test('addresses of a user are rejected if used twice, and skipped when one is generated', async () => {
    const network = open()
    await plug(network.nic({ mac: '52-54-63-00-00-01' }), 'server')
    expect(() => network.nic({ mac: '52:54:63:00:00:01' })).toThrow(
      /Card 0 of this network, in machine "server", already has the address 52:54:63:00:00:01/,
    )
    expect(network.nic().mac).toBe('52:54:63:00:00:02')
  })

  test('addresses of two networks that collide in one machine are rejected with their names', () => {
    const devices = [open(), open()].map((network) => network.nic({ mac: '52:54:00:00:00:01' }))
    expect(() => resolveOptions({ firmware: 'f', devices })).toThrow(
      /Devices network\.nic\(\) and network\.nic\(\) of machine "vm" both have mac 52:54:00:00:00:01/,
    )
  })

  test('exist for 256 cards', () => {
    const network = open()
    network.nic({ mac: '52:54:63:00:00:07' })
    for (let count = 1; count < 256; count++) network.nic()
    expect(new Set(network.nics.map(({ mac }) => mac)).size).toBe(256)
    expect(() => network.nic()).toThrow(/This network already has 256 cards, the maximum/)
  })
})

test.each([
  [{ mac: 'x' }, /`mac` "x" is not six hexadecimal bytes/],
  [{ model: 'ne2000' } as unknown as NicOptions, /`model` must be one of virtio, e1000, e1000e, rtl8139/],
  [{ modle: 'e1000' } as NicOptions, /did you mean `model`/],
])('a card with %j is refused', (options, reason) => {
  expect(() => open().nic(options)).toThrow(reason)
})

describe('between machines', () => {
  test('delivers frames to their destination', async () => {
    const [a, b, c] = await plugThree(open())
    a.send(ALL, 'where is b')
    await turn()
    b.send(a, 'here')
    await turn()
    expect([a.take(), b.take(), c.take()]).toEqual([['here'], ['where is b'], ['where is b']])
  })

  test('one machine exits without affecting the others', async () => {
    const [a, b, c] = await plugThree(open())
    for (const it of [a, b, c]) it.send(ALL, 'hello')
    await turn()
    await b.exit()
    await turn()
    expect([a.nic.machine, b.nic.machine]).toEqual(['a', undefined])
    for (const it of [a, c]) it.take()
    a.send(c, 'still there')
    a.send(b, 'gone')
    await turn()
    c.send(a, 'yes')
    await turn()
    expect([a.take(), c.take()]).toEqual([['yes'], ['still there', 'gone']])
  })

  test('a card is in one machine at a time, and can be reused', async () => {
    const network = open()
    const nic = network.nic()
    const first = await plug(nic, 'first')
    await expect(plug(nic, 'second')).rejects.toMatchObject({
      code: 'DEVICE_CONFLICT',
      shortMessage: expect.stringMatching(/is already in use by the running machine "first"/),
    })
    await first.exit()
    await turn()
    const again = await plug(nic, 'second')
    const other = await plug(network.nic(), 'other')
    other.send(again, 'welcome')
    await turn()
    expect(again.take()).toEqual(['welcome'])
  })
})

describe('the cable', () => {
  test('is unplugged and plugged in with QMP', async () => {
    const card = await plug(open().nic(), 'vm')
    await card.nic.down()
    await card.nic.up()
    expect(card.commands).toEqual([
      ['set_link', { name: 'net0', up: false }],
      ['set_link', { name: 'net0', up: true }],
    ])
  })

  test('the cable that is unplugged before the start is unplugged at the start', async () => {
    const nic = open().nic()
    await nic.down()
    expect((await plug(nic, 'vm')).commands).toEqual([['set_link', { name: 'net0', up: false }]])
  })
})

describe('a partition', () => {
  test('separates groups until it is healed; a member of no group reaches all', async () => {
    const network = open()
    const [a, b, c] = await plugThree(network)
    const talk = async () => {
      for (const it of [a, b, c]) it.send(ALL, it.nic.machine ?? '')
      await turn()
      return [a.take(), b.take(), c.take()]
    }
    network.partition([a.nic], ['b'])
    expect(await talk()).toEqual([['c'], ['c'], ['a', 'b']])
    network.partition([{ name: 'a' }, 'b'], [c.nic])
    expect(await talk()).toEqual([['b'], ['a'], []])
    network.heal()
    expect(await talk()).toEqual([
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ])
    {
      using _partition = network.partition(['a'], ['b'], ['c'])
      expect(await talk()).toEqual([[], [], []])
    }
    expect(await talk()).toEqual([
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ])
  })

  test('a partition with a mistake is rejected', async () => {
    const network = open()
    const [a] = await plugThree(network)
    const partition = (...groups: NetworkMember[][]) => {
      return () => network.partition(...groups)
    }
    expect(partition(['a'])).toThrow(/two groups, which are lists, and none/)
    expect(partition(['a'], [])).toThrow(/none may be empty/)
    expect(partition(...(['a', 'b'] as never[]))).toThrow(/which are lists/)
    expect(partition(['a'], [null as never])).toThrow(/a member must be a card, a machine or its name, but is null/)
    expect(partition(['a'], ['b', a.nic])).toThrow(/Card 0 is in two groups/)
    expect(partition(['a'], ['d'])).toThrow(
      /No running machine "d" has a card of this network\nThe running machines are a, b, c\./,
    )
    expect(partition(['a'], [open().nic()])).toThrow(/belongs to another network/)
  })
})

describe('faults', () => {
  test('faults of the network affect received frames, of one card also sent frames', async () => {
    const network = open()
    const [a, b, c] = await plugThree(network)
    const talk = async () => {
      for (const it of [a, b, c]) it.send(ALL, it.nic.machine ?? '')
      await turn()
      return [a.take(), b.take(), c.take()]
    }
    {
      using _faults = network.impair({ loss: 1 })
      expect(await talk()).toEqual([[], [], []])
    }
    using _faults = a.nic.impair({ loss: 1 })
    expect(await talk()).toEqual([[], ['c'], ['b']])
    a.nic.impair({})
    expect(await talk()).toEqual([
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ])
  })

  test('set before the start of a machine are applied', async () => {
    const network = open()
    const nic = network.nic()
    nic.impair({ loss: 1 })
    const [a, b] = [await plug(nic, 'a'), await plug(network.nic(), 'b')]
    a.send(ALL, 'x')
    b.send(ALL, 'y')
    await turn()
    expect([a.take(), b.take()]).toEqual([[], []])
  })

  test('faults with invalid options are rejected', () => {
    expect(() => open().impair({ loss: 2 })).toThrow(/impair: `loss` must be/)
    expect(() => open().nic().impair({ latency: -5 })).toThrow(/impair: `latency` must be/)
  })
})

describe('a log', () => {
  test('has sent and received frames', async () => {
    const network = open()
    using sent = network.frames()
    using received = network.frames({ direction: 'received' })
    const [a, b] = await plugThree(network)
    network.partition(['a', 'b'], ['c'])
    a.send(ALL, 'hello')
    await turn()
    b.send(a, 'hi')
    const frame = await received.waitFor({ machine: 'a' })
    expect(frame.payload.toString()).toBe('hi')
    expect(frame).toMatchObject({ card: a.nic.mac, source: b.nic.mac, destination: a.nic.mac, etherType: 0x88b5 })
    expect(sent.history.map(({ machine, payload }) => `${machine} ${payload.toString()}`)).toEqual(['a hello', 'b hi'])
    expect(received.history.map(({ machine, payload }) => `${machine} ${payload.toString()}`)).toEqual([
      'b hello',
      'a hi',
    ])
  })

  test('ends with the network', async () => {
    const network = new Network()
    const log = network.frames()
    const waiting = expect(log.waitFor()).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
    await network.close()
    await waiting
  })

  test('a log with an invalid size is rejected', () => {
    expect(() => open().frames({}, { limit: 0 })).toThrow(/`limit` must be a whole number from 1/)
  })
})

test('a closed network disconnects its machines and rejects further calls', async () => {
  const network = new Network()
  const card = await plug(network.nic(), 'vm')
  const ended = new Promise((resolve) => card.guest.once('end', resolve))
  await network.close()
  await network.close()
  await ended
  for (const call of [() => network.nic(), () => network.frames(), () => network.capture('/dev/null')]) {
    expect(call).toThrow(/The network is closed/)
  }
  await expect(network.nics[0]?.prepare()).rejects.toThrow(/The network is closed/)
})

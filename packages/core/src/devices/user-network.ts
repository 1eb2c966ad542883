/**
 * Network card on QEMU's user-mode network (libslirp): forwards ports of the guest to the host and, only on request,
 * gives access to the outside.
 */
import { isIPv4 } from 'node:net'
import { join, relative } from 'node:path'
import { MachineError, OptionError } from '../errors.ts'
import { checkedMac } from '../network/frames/mac-address.ts'
import {
  type CheckTable,
  checkTable,
  isFlag,
  isPath,
  isString,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import { requireDirectory, requireFile } from '../options/required-path.ts'
import type { AttachContext, Device, PortForward } from './device.ts'
import { BOOTS_FIRST, NIC_MODELS, type NicModel, nicDevice, requireNicModelOn } from './helpers/nic-model.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'
import { plainOptions } from './helpers/plain-options.ts'
import { parseUsernet } from './helpers/usernet-info.ts'

/** A forward from a port of the host to a port of the guest. */
export interface ForwardOptions {
  /** Port in the guest, 1 to 65535. */
  readonly guest: number
  /** Port on 127.0.0.1 of the host. @default a free port */
  readonly host?: number | undefined
  /** Protocol of the port. @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp' | undefined
}

/** Options of {@link userNetwork}. */
export interface UserNetworkOptions {
  /** Ports of the guest to forward. The guest must use the address that DHCP assigns. @default [] */
  readonly forward?: readonly ForwardOptions[] | undefined
  /** Whether the guest is isolated from the host and the outside. Forwards always work. @default true */
  readonly restrict?: boolean | undefined
  /**
   * Network, with a prefix of 8 to 27 bits. Its second address is the host, the third a name server, the fifteenth the
   * guest, for example 10.0.2.2, 10.0.2.3 and 10.0.2.15.
   * @default '10.0.2.0/24'
   */
  readonly cidr?: string | undefined
  /** Host name that DHCP sends to the guest. @default none */
  readonly hostname?: string | undefined
  /** Address in `cidr` of the name server for the guest, if not restricted. @default the third of `cidr` */
  readonly dns?: string | undefined
  /**
   * Directory whose files the guest can read by TFTP, for example to boot over the network.
   * @default none
   */
  readonly tftp?: string | undefined
  /**
   * Boot file that DHCP announces to the firmware: a path in `tftp`, or a URL for iPXE, such as
   * `http://10.0.2.2:8080/boot.ipxe`.
   * @default none
   */
  readonly bootFile?: string | undefined
  /**
   * Whether the firmware boots over this card (PXE), before all disks.
   * @default true with `bootFile`, else only if the machine has nothing else to boot from
   */
  readonly boot?: boolean | undefined
  /** Model of the card. @default 'virtio' */
  readonly model?: NicModel | undefined
  /** MAC address of the card. @default assigned by QEMU: 52:54:00:12:34:56 and up */
  readonly mac?: string | undefined
}

/** The user network of one machine. */
export interface UserNetworkHandle {
  /** All forwards, with their ports on the host. @throws MachineError `DEVICE_NOT_ATTACHED` */
  readonly forwards: readonly PortForward[]
  /**
   * The port on 127.0.0.1 that is forwarded to a port of the guest.
   * @throws OptionError `INVALID_OPTION` for a port that is not forwarded, `DEVICE_CONFLICT` when several machines run
   *   with this device
   * @throws MachineError `DEVICE_NOT_ATTACHED` before the start of the machine
   */
  hostPort(guest: number, protocol?: 'tcp' | 'udp'): number
}

/** A device, and the user network of the one machine that runs with it. */
export interface UserNetwork extends Device, UserNetworkHandle {
  /** The user network of one machine. */
  of(vm: object): UserNetworkHandle
}

const isPort = wholeNumber(1, 0xffff)
const PROTOCOLS = ['tcp', 'udp'] as const
const FORWARD_CHECKS: CheckTable<Required<ForwardOptions>> = {
  guest: isPort,
  host: isPort,
  protocol: oneOf(PROTOCOLS),
}
const HOSTNAME = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i
const CHECKS: CheckTable<Required<UserNetworkOptions>> = {
  forward: ['a list of forwards such as { guest: 80 }', Array.isArray],
  restrict: isFlag,
  cidr: ['an IPv4 network with a prefix of 8 to 27 bits, such as 10.0.2.0/24', isNetwork],
  hostname: ['a host name', (value) => isString(value) && value.length <= 255 && HOSTNAME.test(value)],
  dns: ['an IPv4 address', (value) => isString(value) && isIPv4(value)],
  tftp: isPath,
  bootFile: ['a path or a URL of at most 127 bytes', (value) => isString(value) && /^[\x21-\x7e]{1,127}$/.test(value)],
  boot: isFlag,
  model: oneOf(NIC_MODELS),
  mac: ['an address of six bytes', isString],
}
const DEFAULT_CIDR = '10.0.2.0/24'
const HOST = 2
const NAME_SERVER = 3
const GUEST = 15

/**
 * Adds a card on a separate network, without access to the host and the outside unless `restrict: false`. The ports of
 * `forward` are available on 127.0.0.1 of the host: `userNetwork.hostPort(80)`.
 *
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`; `DEVICE_CONFLICT` for a port that is forwarded twice, and at
 *   the start for a `host` port that another running machine with the device uses
 */
export function userNetwork(options: UserNetworkOptions = {}): UserNetwork {
  checkTable('userNetwork', options, CHECKS)
  const { forward = [], restrict = true, cidr = DEFAULT_CIDR, hostname, bootFile, model = 'virtio' } = options
  const tftp = options.tftp === undefined ? undefined : requireDirectory('userNetwork: tftp', options.tftp)
  const boot = options.boot ?? (bootFile === undefined ? undefined : true)
  const dns = options.dns ?? addressIn(cidr, NAME_SERVER)
  const mac = options.mac === undefined ? undefined : checkedMac(options.mac)
  for (const it of forward) checkTable('userNetwork: forward', it, FORWARD_CHECKS)
  const claims = claimsOf(forward)
  requireInside(dns, cidr)
  requireBootFile(bootFile, tftp)
  // All addresses are set explicitly, because QEMU's defaults depend on the size of the network.
  const addresses = { net: cidr, host: addressIn(cidr, HOST), dns, dhcpstart: addressIn(cidr, GUEST) }
  const machines = new PerMachine<UserNetworkHandle>('userNetwork')
  const requireFree = (): void => requireFreePorts(forward, machines.names)
  return {
    name: 'userNetwork',
    portable: { kind: 'userNetwork', options: plainOptions({ ...options, forward: forward.map(plainOptions) }) },
    claims: [
      ...claims.filter((it) => it.startsWith('host')),
      ...(boot === true ? [BOOTS_FIRST] : []),
      ...(mac === undefined ? [] : [`mac:${mac}`]),
    ],
    bootable: boot ?? 'fallback',
    validate: ({ arch }) => requireNicModelOn(arch, model, 'userNetwork'),
    ...(tftp === undefined ? {} : { contentIdentity: () => identityOf(tftp) }),
    requireFree,
    prepare: async () => requireFree(),
    qemuArgs(context) {
      const netdev = context.id('net')
      const values = { id: netdev, ...familiesOf(bootFile), ...addresses, restrict, hostname, tftp, bootfile: bootFile }
      const rules = forward.map((it) => `,${optionString(undefined, { hostfwd: ruleOf(it) })}`)
      const device = nicDevice(context, model, { id: context.id('nic'), netdev, mac, boot })
      return ['-netdev', optionString('user', values) + rules.join(''), '-device', device]
    },
    attach: async (context) => machines.add(context, await handleOf(context, forward)),
    get forwards() {
      return machines.get().forwards
    },
    hostPort: (guest, protocol) => machines.get().hostPort(guest, protocol),
    of: (vm) => machines.get(vm),
  }
}

/**
 * IPv6 is only enabled for a network boot: iPXE waits for a router of IPv6, 13 s in the firmware of QEMU 7.2. QEMU disables IPv4
 * if only IPv6 is enabled explicitly.
 */
function familiesOf(bootFile: string | undefined): { readonly ipv4?: true; readonly ipv6: boolean } {
  return bootFile === undefined ? { ipv6: false } : { ipv4: true, ipv6: true }
}

async function handleOf(context: AttachContext, asked: readonly ForwardOptions[]): Promise<UserNetworkHandle> {
  const forwards = asked.length === 0 ? [] : await readForwards(context, asked)
  for (const forward of forwards) context.publishPort(forward)
  return {
    forwards,
    hostPort(guest, protocol = 'tcp') {
      const found = forwards.find((it) => it.guest === guest && it.protocol === protocol)
      if (found) return found.host
      const list = forwards.map((it) => `${it.protocol} ${it.guest}`).join(', ') || 'none'
      throw new OptionError(
        'INVALID_OPTION',
        `Port ${protocol} ${guest} of machine "${context.machineName}" is not forwarded (forwarded: ${list})`,
        { hint: `Add it: userNetwork({ forward: [{ guest: ${guest} }] }).` },
      )
    },
  }
}

/** Reads the host ports that the system has assigned, from the human monitor, because QMP does not report them. */
async function readForwards(
  { qmp, ids, machineName }: AttachContext,
  asked: readonly ForwardOptions[],
): Promise<readonly PortForward[]> {
  const text = String(await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' }))
  const open = parseUsernet(text).get(ids[0] ?? '') ?? []
  return asked.map(({ guest, protocol = 'tcp' }) => {
    const found = open.find((it) => it.guest === guest && it.protocol === protocol)
    if (found) return found
    throw new MachineError(
      'QMP_FAILED',
      `QEMU did not report the host port that is forwarded to ${protocol} ${guest} of machine "${machineName}": ${text}`,
    )
  })
}

function ruleOf({ guest, host = 0, protocol = 'tcp' }: ForwardOptions): string {
  return `${protocol}:127.0.0.1:${host}-:${guest}`
}

function claimsOf(forward: readonly ForwardOptions[]): readonly string[] {
  const claims = forward.flatMap(({ guest, host, protocol = 'tcp' }) => [
    `guest port:${protocol} ${guest}`,
    ...(host === undefined ? [] : [`host port:${protocol} ${host}`]),
  ])
  const twice = claims.find((claim, index) => claims.indexOf(claim) !== index)
  if (twice === undefined) return claims
  throw new OptionError('DEVICE_CONFLICT', `userNetwork: ${twice.replace(':', ' ')} is forwarded twice`, {
    hint: 'Use each guest port and each host port in one forward only.',
  })
}

/** @throws OptionError `DEVICE_CONFLICT` when a running machine uses one of the host ports */
function requireFreePorts(forward: readonly ForwardOptions[], [machine]: readonly string[]): void {
  const taken = forward.find(({ host }) => host !== undefined)
  if (taken === undefined || machine === undefined) return
  throw new OptionError(
    'DEVICE_CONFLICT',
    `userNetwork: port ${taken.host} of the host is forwarded to the running machine "${machine}" already`,
    { hint: 'Leave out `host`, so that each machine gets a free port.' },
  )
}

function isNetwork(value: unknown): boolean {
  const [, address = '', bits] = /^([\d.]+)\/(\d{1,2})$/.exec(String(value)) ?? []
  const prefix = Number(bits)
  if (!isIPv4(address) || !(prefix >= 8 && prefix <= 27)) return false
  return numberOf(address) % 2 ** (32 - prefix) === 0
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

/** The address with this number in a network. */
function addressIn(cidr: string, offset: number): string {
  const number = numberOf(cidr.replace(/\/.*/, '')) + offset
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.')
}

function requireInside(dns: string, cidr: string): void {
  const [address = '', prefix] = cidr.split('/')
  const size = 2 ** (32 - Number(prefix))
  if (Math.floor(numberOf(dns) / size) === numberOf(address) / size) return
  throw new OptionError('INVALID_OPTION', `userNetwork: \`dns\` ${dns} is not in the network ${cidr}`, {
    hint: '`dns` is the address of the DNS proxy that QEMU provides to the guest. It must be inside `cidr`.',
  })
}

/** @throws OptionError `FILE_MISSING`, or `INVALID_OPTION` when no server has the file */
function requireBootFile(bootFile: string | undefined, tftp: string | undefined): void {
  if (bootFile === undefined || /^[a-z]+:\/\//.test(bootFile)) return
  if (tftp === undefined) {
    throw new OptionError('INVALID_OPTION', `userNetwork: \`bootFile\` "${bootFile}" is given without \`tftp\``, {
      hint: 'Set `tftp` to the directory that has the file, or `bootFile` to a URL.',
    })
  }
  const path = requireFile('userNetwork: bootFile', join(tftp, bootFile)) ?? ''
  if (!relative(tftp, path).startsWith('..')) return
  throw new OptionError('INVALID_OPTION', `userNetwork: \`bootFile\` "${bootFile}" is not in the directory ${tftp}`)
}

async function identityOf(directory: string): Promise<string> {
  const { directoryIdentity } = await import('./helpers/directory-identity.ts')
  return directoryIdentity(directory)
}

/** Names of virtio-serial ports in the guest. */
import type { Channel } from '../channel.ts'
import type { Device } from '../device.ts'

/** Port of the agent of `@coldboot/guest`. */
export const AGENT_PORT = 'org.coldboot.agent'

/** Default port of QEMU's guest agent. */
export const GUEST_AGENT_PORT = 'org.qemu.guest_agent.0'

const CLAIM = 'channel:'

/** Names of all `channel()` devices. */
export function channelNames(devices: readonly Device[]): string[] {
  const claims = devices.filter(({ name }) => name === 'channel').flatMap((device) => device.claims ?? [])
  return claims
    .map((claim) => claim.slice(CLAIM.length))
    .filter((name) => name !== AGENT_PORT && name !== GUEST_AGENT_PORT)
}

/** The channel with a name; undefined if there is none. */
export function findChannel(devices: readonly Device[], name: string): Channel | undefined {
  return devices.find((device): device is Channel => isChannel(device, name))
}

/** The index of the channel with a name; -1 if there is none. */
export function channelPosition(devices: readonly Device[], name: string): number {
  return devices.findIndex((device) => isChannel(device, name))
}

function isChannel(device: Device, name: string): boolean {
  return device.name === 'channel' && device.claims?.[0] === CLAIM + name
}

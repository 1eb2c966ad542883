/** The ports of a machine that lead to programs of the guest that are there for the test: by name, as the guest sees them. */
import type { Channel } from '../channel.ts'
import type { Device } from '../device.ts'

/** Port of the agent of `@coldboot/guest`. */
export const AGENT_PORT = 'org.coldboot.agent'

/** Port that QEMU's guest agent opens by default. */
export const GUEST_AGENT_PORT = 'org.qemu.guest_agent.0'

const CLAIM = 'channel:'

/** Names of the channels that the machine's user gave it. */
export function channelNames(devices: readonly Device[]): string[] {
  const claims = devices.filter(({ name }) => name === 'channel').flatMap((device) => device.claims ?? [])
  return claims
    .map((claim) => claim.slice(CLAIM.length))
    .filter((name) => name !== AGENT_PORT && name !== GUEST_AGENT_PORT)
}

/** The machine's channel of a name, if it has one. */
export function findChannel(devices: readonly Device[], name: string): Channel | undefined {
  return devices.find((device): device is Channel => device.name === 'channel' && device.claims?.[0] === CLAIM + name)
}

/** Parser of the monitor command `info usernet`, because there is no QMP command for it. */
import type { PortForward } from '../device.ts'

/**
 * Returns the forwards in the output of `info usernet`, by the id of the network backend (net/slirp.c, and
 * slirp_connection_info of libslirp):
 *
 * ```text
 * Hub -1 (net0):
 *   Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
 *   TCP[HOST_FORWARD]  11       127.0.0.1 38247       10.0.2.15    80     0     0
 * ```
 */
export function parseUsernet(text: string): ReadonlyMap<string, readonly PortForward[]> {
  const networks = new Map<string, PortForward[]>()
  let forwards: PortForward[] = []
  for (const line of text.split(/\r?\n/)) {
    // The id is in parentheses after the number of a hub. Newer versions may print only the id.
    const [, id] = /^(?:.*\()?([^\s()]+)\)?:\s*$/.exec(line) ?? []
    if (id !== undefined && !/^\s/.test(line)) {
      forwards = []
      networks.set(id, forwards)
    }
    const [, protocol = '', host, guest] =
      /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+-?\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/i.exec(line) ?? []
    if (protocol === '') continue
    forwards.push({ protocol: /tcp/i.test(protocol) ? 'tcp' : 'udp', host: Number(host), guest: Number(guest) })
  }
  return networks
}

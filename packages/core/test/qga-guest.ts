/** A guest with QEMU's guest agent only, over any stream. */
import type { Duplex } from 'node:stream'
import type { GuestEnd } from '../src/guest/command-transport.ts'
import { Guest } from '../src/guest/guest.ts'
import { QgaConnection } from '../src/guest/qga/qga-connection.ts'
import { QgaTransport } from '../src/guest/qga/qga-transport.ts'

/**
 * @param directory directory for the files of commands
 * @param factor factor of all internal times
 */
export function qgaGuest(stream: Duplex, directory = '/tmp', factor = 1): Guest {
  const scale = (milliseconds: number): number => milliseconds * factor
  const over = new Promise<GuestEnd>(() => {})
  return new Guest({
    name: 'vm',
    transports: [new QgaTransport({ connection: new QgaConnection(() => stream), scale, over, directory })],
    timeoutMs: 60_000,
    scale: (milliseconds) => milliseconds,
    signal: undefined,
    over,
    ready: () => Promise.resolve(),
    sections: () => ({}),
  })
}

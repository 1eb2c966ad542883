/** Files in the guest by way of QEMU's guest agent. */
import { type Limits, within } from '../waiting.ts'
import type { QgaConnection } from './qga-connection.ts'

/** At once, bytes: a message of the agent may have 64 MiB, base64 included, and it reads at most 48 MiB. */
const PIECE_BYTES = 4 * 2 ** 20

/** @throws QgaRefusal, Interrupted */
export async function sendFile(
  connection: QgaConnection,
  path: string,
  bytes: Uint8Array,
  limits: Limits,
): Promise<void> {
  await withHandle(connection, path, 'w', limits, async (handle) => {
    for (let at = 0; at < bytes.length; ) {
      const piece = Buffer.from(bytes.subarray(at, at + PIECE_BYTES)).toString('base64')
      const written = connection.execute('guest-file-write', { handle, 'buf-b64': piece })
      at += ((await within(written, limits)) as { readonly count: number }).count
    }
  })
}

/** @throws QgaRefusal, Interrupted */
export async function fetchFile(connection: QgaConnection, path: string, limits: Limits): Promise<Buffer> {
  const pieces: Buffer[] = []
  await withHandle(connection, path, 'r', limits, async (handle) => {
    for (let isEnd = false; !isEnd; ) {
      const answer = await within(connection.execute('guest-file-read', { handle, count: PIECE_BYTES }), limits)
      const read = answer as { readonly eof: boolean; readonly 'buf-b64': string }
      pieces.push(Buffer.from(read['buf-b64'], 'base64'))
      isEnd = read.eof
    }
  })
  return Buffer.concat(pieces)
}

async function withHandle(
  connection: QgaConnection,
  path: string,
  mode: 'r' | 'w',
  limits: Limits,
  work: (handle: unknown) => Promise<void>,
): Promise<void> {
  const handle = await within(connection.execute('guest-file-open', { path, mode }), limits)
  try {
    await work(handle)
  } finally {
    // What is written lies in the agent's memory until then.
    await within(connection.execute('guest-file-close', { handle }), limits)
  }
}

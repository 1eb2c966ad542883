/** File transfers with QEMU's guest agent. */
import { type Limits, within } from '../waiting.ts'
import type { QgaConnection } from './qga-connection.ts'

/**
 * Size of the data in one request, bytes. The agent accepts messages of 64 MiB including base64, and reads up to 48
 * MiB.
 */
const PIECE_BYTES = 4 * 2 ** 20

/** Bytes of the first request. Most files are short, and the agent allocates the requested size. */
const FIRST_PIECE_BYTES = 65_536

/** Writes a file. @throws QgaRefusal, Interrupted */
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

/** Reads a file. @throws QgaRefusal, Interrupted */
export async function fetchFile(connection: QgaConnection, path: string, limits: Limits): Promise<Buffer> {
  const pieces: Buffer[] = []
  await withHandle(connection, path, 'r', limits, async (handle) => {
    for (let isEnd = false; !isEnd; ) {
      const count = pieces.length === 0 ? FIRST_PIECE_BYTES : PIECE_BYTES
      const answer = await within(connection.execute('guest-file-read', { handle, count }), limits)
      const read = answer as { readonly eof: boolean; readonly 'buf-b64': string }
      pieces.push(Buffer.from(read['buf-b64'], 'base64'))
      isEnd = read.eof
    }
  })
  return Buffer.concat(pieces)
}

/** Size of a file, bytes. @throws QgaRefusal, Interrupted */
export function sizeOfFile(connection: QgaConnection, path: string, limits: Limits): Promise<number> {
  return withHandle(connection, path, 'r', limits, (handle) => seekFromEnd(connection, handle, 0, limits))
}

/** Reads the last bytes of a file. @throws QgaRefusal, Interrupted */
export function fetchEnd(connection: QgaConnection, path: string, bytes: number, limits: Limits): Promise<Buffer> {
  return withHandle(connection, path, 'r', limits, async (handle) => {
    const size = await seekFromEnd(connection, handle, 0, limits)
    await seekFromEnd(connection, handle, -Math.min(size, bytes), limits)
    const answer = await within(connection.execute('guest-file-read', { handle, count: bytes }), limits)
    return Buffer.from((answer as { readonly 'buf-b64': string })['buf-b64'], 'base64')
  })
}

async function seekFromEnd(
  connection: QgaConnection,
  handle: unknown,
  offset: number,
  limits: Limits,
): Promise<number> {
  const seek = connection.execute('guest-file-seek', { handle, offset, whence: 'end' })
  return ((await within(seek, limits)) as { readonly position: number }).position
}

async function withHandle<T>(
  connection: QgaConnection,
  path: string,
  mode: 'r' | 'w',
  limits: Limits,
  work: (handle: unknown) => Promise<T>,
): Promise<T> {
  const handle = await within(connection.execute('guest-file-open', { path, mode }), limits)
  const close = (): Promise<unknown> => within(connection.execute('guest-file-close', { handle }), limits)
  try {
    return await work(handle)
  } finally {
    // Only the close flushes written data. After a read, the close is not awaited.
    if (mode === 'w') await close()
    else close().catch(() => {})
  }
}

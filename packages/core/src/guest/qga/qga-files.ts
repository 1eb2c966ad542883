/** File transfers with QEMU's guest agent. */
import { MOST_BYTES, TooMuchOutput } from '../output-buffer.ts'
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

/**
 * Reads the output of a command. A process in the background may go on writing, so at most the size at the start is read.
 * @throws QgaRefusal, Interrupted, TooMuchOutput
 */
export async function fetchOutput(connection: QgaConnection, path: string, limits: Limits): Promise<Buffer> {
  let isOver = false
  const reading = withHandle(connection, path, 'r', limits, async (handle) => {
    const read = async (count: number): Promise<{ readonly bytes: Buffer; readonly eof: boolean }> => {
      const answer = await within(connection.execute('guest-file-read', { handle, count }), limits)
      const { 'buf-b64': text, eof } = answer as { readonly eof: boolean; readonly 'buf-b64': string }
      return { bytes: Buffer.from(text, 'base64'), eof }
    }
    const first = await read(FIRST_PIECE_BYTES)
    if (first.eof) return first.bytes
    const size = await seek(connection, handle, 0, 'end', limits)
    if (size > MOST_BYTES) throw new TooMuchOutput()
    const pieces = [first.bytes]
    let at = await seek(connection, handle, first.bytes.length, 'set', limits)
    while (at < size && !isOver) {
      const { bytes, eof } = await read(Math.min(PIECE_BYTES, size - at))
      pieces.push(bytes)
      at += bytes.length
      if (eof) break
    }
    return Buffer.concat(pieces)
  })
  try {
    // One timeout for all requests.
    return await within(reading, limits)
  } finally {
    isOver = true
  }
}

/** Size of a file, bytes. @throws QgaRefusal, Interrupted */
export function sizeOfFile(connection: QgaConnection, path: string, limits: Limits): Promise<number> {
  return withHandle(connection, path, 'r', limits, (handle) => seek(connection, handle, 0, 'end', limits))
}

/** Reads the last bytes of a file. @throws QgaRefusal, Interrupted */
export function fetchEnd(connection: QgaConnection, path: string, bytes: number, limits: Limits): Promise<Buffer> {
  return withHandle(connection, path, 'r', limits, async (handle) => {
    const size = await seek(connection, handle, 0, 'end', limits)
    await seek(connection, handle, -Math.min(size, bytes), 'end', limits)
    const answer = await within(connection.execute('guest-file-read', { handle, count: bytes }), limits)
    return Buffer.from((answer as { readonly 'buf-b64': string })['buf-b64'], 'base64')
  })
}

/** Moves the position in a file. @returns the new position, from the start */
async function seek(
  connection: QgaConnection,
  handle: unknown,
  offset: number,
  whence: 'set' | 'end',
  limits: Limits,
): Promise<number> {
  const moved = connection.execute('guest-file-seek', { handle, offset, whence })
  return ((await within(moved, limits)) as { readonly position: number }).position
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

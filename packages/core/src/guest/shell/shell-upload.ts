/** Sends bytes to a file in the guest: types them, encoded, for a program that reads the terminal. */
import { type ShellDialogue, UnsuitableShell } from './shell-dialogue.ts'
import { LONGEST_LINE } from './shell-functions.ts'
import { octal } from './typed-text.ts'

/** Longest data that is typed as an argument, bytes. An upload is slower for short data: it starts four programs. */
export const LONG_BYTES = 2_000

/**
 * Bytes typed at once. The kernel buffers up to 640 KiB of unread input and drops the rest, because a UART has no flow
 * control (TTYB_DEFAULT_MEM_LIMIT in tty_buffer.c).
 */
const PIECE_BYTES = 384 * 1024
const BASE64_LINE = 76
/** Time for the program to read one piece. Milliseconds, before the multiplier. */
const PIECE_MS = 60_000
const ATTEMPTS = 3
const END_OF_FILE = '\x04'

/**
 * @param file name in the directory of the functions
 * @param timeoutMs timeout of the first answer of the shell
 * @throws NoAnswer, UnsuitableShell
 */
export async function upload(
  dialogue: ShellDialogue,
  file: string,
  bytes: Uint8Array,
  scale: (milliseconds: number) => number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const size = await sendPieces(dialogue, file, bytes, scale(PIECE_MS), timeoutMs, signal)
    if (size === bytes.length) return
  }
  throw new UnsuitableShell(`its input of ${bytes.length} bytes was damaged on the way to the guest`)
}

async function sendPieces(
  dialogue: ShellDialogue,
  file: string,
  bytes: Uint8Array,
  pieceMs: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let size = 0
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES)
    const first = at === 0 ? [`_cbw ${file} ''`] : []
    const { answer } = await dialogue.ask((token) => [...first, `_cbu ${token} ${file}`], timeoutMs, signal)
    if (answer.kind !== 'send') return -1
    // Ctrl-D is the end of file only at the start of a line.
    dialogue.type(encode(answer.codec, piece) + END_OF_FILE)
    const { answer: received } = await dialogue.next(pieceMs, signal)
    if (received.kind !== 'received') return -1
    size = received.size
    if (size !== at + piece.length) return -1
  }
  return size
}

function encode(codec: string, bytes: Uint8Array): string {
  if (codec === 'base64') return inLines(Buffer.from(bytes).toString('base64'), new RegExp(`.{1,${BASE64_LINE}}`, 'g'))
  // A line never ends inside an escape.
  return inLines(octal(bytes), new RegExp(`(?:\\\\0\\d{3}|[^\\\\]){1,${Math.floor(LONGEST_LINE / 5)}}`, 'g'))
}

function inLines(text: string, line: RegExp): string {
  return text.replace(line, (part) => `${part}\n`)
}

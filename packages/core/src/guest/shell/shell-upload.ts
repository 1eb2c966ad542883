/** Sends bytes to a file in the guest by typing them, encoded, to a program there that reads the terminal. */
import { type ShellDialogue, UnsuitableShell } from './shell-dialogue.ts'
import { LONGEST_LINE } from './shell-functions.ts'
import { octal } from './typed-text.ts'

/** More than this is sent so, bytes: it starts four programs, which typing as an argument does not. */
export const LONG_BYTES = 2_000

/**
 * At once, bytes. The kernel keeps up to 640 KiB of what was typed and not yet read, and drops the rest: a UART has no way
 * to hold the sender up (TTYB_DEFAULT_MEM_LIMIT in tty_buffer.c).
 */
const PIECE_BYTES = 384 * 1024
const BASE64_LINE = 76
/** The program must take what was typed within this time. Milliseconds, before the multiplier. */
const PIECE_MS = 60_000
const ATTEMPTS = 3
const END_OF_FILE = '\x04'

/**
 * @param file a name in the functions' directory
 * @param timeoutMs for the shell's first answer
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
    // An end of file on a line of its own, where it is one.
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
  // Never inside an escape.
  return inLines(octal(bytes), new RegExp(`(?:\\\\0\\d{3}|[^\\\\]){1,${Math.floor(LONGEST_LINE / 5)}}`, 'g'))
}

function inLines(text: string, line: RegExp): string {
  return text.replace(line, (part) => `${part}\n`)
}

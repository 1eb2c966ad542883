/**
 * Parses the frames that the shell functions print on the console. A frame is RS (`\036`), the token of the request, a
 * type character, a payload, and US (`\037`). The guest generates RS and US with `printf`, so the echo of typed text
 * contains neither. Each request has a new token, which is not in the environment of the command.
 *
 * Types and payloads:
 *
 * - `!`: the command starts in the foreground; `!1`: in the background
 * - `?`: the working directory of the command cannot be entered
 * - `~`: the shell has read its input up to this request
 * - `;status;length;length GS out GS err`: the command ended, with short output as plain text
 * - `:status:codec GS packed`: the command ended, with all other output encoded
 * - `*directory;codec`: the functions are defined, with their directory and their encoding for output
 * - `-`: the functions are not defined
 * - `>codec`: the guest reads a file from the terminal in this encoding
 * - `<size`: size of that file after the transfer, bytes
 */
import { withoutKernelMessages } from './kernel-messages.ts'
import { unpackOutputs } from './packed-output.ts'

/** The answer in a frame. Status `undefined` means that the command was killed. */
export type ShellAnswer =
  | { readonly kind: 'no-directory' | 'synced' | 'undefined' | 'garbled' }
  | { readonly kind: 'begun'; readonly background: boolean }
  | { readonly kind: 'send'; readonly codec: string }
  | { readonly kind: 'received'; readonly size: number }
  | { readonly kind: 'defined'; readonly directory: string; readonly codec: string }
  | {
      readonly kind: 'ended'
      readonly status: number | undefined
      readonly stdout: Uint8Array
      readonly stderr: Uint8Array
    }

const GARBLED: ShellAnswer = { kind: 'garbled' }

/**
 * @param content raw bytes between RS and US
 * @returns undefined for a frame that is not an answer to this token
 */
export function readAnswer(content: Buffer, token: string): ShellAnswer | undefined {
  const text = content.toString('latin1')
  const answer = parse(asPrinted(text), token)
  if (answer !== undefined && answer.kind !== 'garbled') return answer
  // A kernel message may be printed between the two characters of a line end, so messages are removed first.
  return parse(asPrinted(withoutKernelMessages(text)), token) ?? answer
}

/** Undoes the conversion of each `\n` to `\r\n` by the terminal. */
function asPrinted(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

function parse(text: string, token: string): ShellAnswer | undefined {
  if (!text.startsWith(token)) return undefined
  const rest = text.slice(token.length + 1)
  switch (text.charAt(token.length)) {
    case '!':
      return /^1?$/.test(rest) ? { kind: 'begun', background: rest !== '' } : GARBLED
    case '?':
      return { kind: 'no-directory' }
    case '~':
      return { kind: 'synced' }
    case '-':
      return { kind: 'undefined' }
    case ';':
      return parseShort(rest)
    case ':':
      return parsePacked(rest)
    case '*':
      return parseDefined(rest)
    case '>':
      return /^[a-z0-9]+$/.test(rest) ? { kind: 'send', codec: rest } : GARBLED
    case '<':
      return /^ *\d+$/.test(rest) ? { kind: 'received', size: Number(rest) } : GARBLED
    default:
      return GARBLED
  }
}

function parseDefined(text: string): ShellAnswer {
  const at = text.lastIndexOf(';')
  return at < 0 ? GARBLED : { kind: 'defined', directory: text.slice(0, at), codec: text.slice(at + 1) }
}

function parseShort(text: string): ShellAnswer {
  const header = /^(\d+|-);(\d+);(\d+)\x1d([^\x1d]*)\x1d([^\x1d]*)$/.exec(text)
  if (header === null) return GARBLED
  const [, status = '', outLength = '', errLength = '', out = '', err = ''] = header
  const [stdout, stderr] = [Buffer.from(out, 'latin1'), Buffer.from(err, 'latin1')]
  if (!hasLength(stdout, Number(outLength)) || !hasLength(stderr, Number(errLength))) return GARBLED
  return { kind: 'ended', status: statusOf(status), stdout, stderr }
}

function parsePacked(text: string): ShellAnswer {
  const header = /^(\d+|-):([a-z0-9-]+)\x1d/.exec(text)
  if (header === null) return GARBLED
  const [whole, status = '', codec = ''] = header
  const outputs = unpackOutputs(codec, text.slice(whole.length))
  return outputs === undefined ? GARBLED : { kind: 'ended', status: statusOf(status), ...outputs }
}

function statusOf(text: string): number | undefined {
  return text === '-' ? undefined : Number(text)
}

/**
 * Whether the length matches in bytes or in characters. The unit of `${#variable}` depends on the locale of the shell.
 */
function hasLength(bytes: Buffer, length: number): boolean {
  return bytes.length === length || [...bytes.toString('utf8')].length === length
}

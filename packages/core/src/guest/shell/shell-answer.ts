/**
 * What the shell prints for us, in frames: RS (`\036`), the token of the request, a sign, what belongs to it, US
 * (`\037`). The guest makes the two control characters itself: what is typed, and so echoed, has none. The token is new
 * for each request and never in the command's environment.
 *
 * `!` the command begins, `!1` in the background. `?` its directory cannot be entered. `~` the shell has read so far.
 * `;status;length;length GS out GS err` the end, short text as it is. `:status:codec GS packed` the end, all else.
 * `*directory;codec` the functions are defined, `-` they are not. `>codec` send the file, `<size` what there is of it
 * now.
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
 * @param content raw content of a frame
 * @returns undefined for a frame that is not an answer to this token
 */
export function readAnswer(content: Buffer, token: string): ShellAnswer | undefined {
  const text = content.toString('latin1')
  const answer = parse(asPrinted(text), token)
  if (answer !== undefined && answer.kind !== 'garbled') return answer
  // Messages are removed first, because one may be printed between the two characters of a line end.
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

/** Whether the length matches, in bytes or characters, because shells count by the locale. */
function hasLength(bytes: Buffer, length: number): boolean {
  return bytes.length === length || [...bytes.toString('utf8')].length === length
}

/**
 * The line to QEMU's guest agent: JSON both ways, one message a line (docs/interop/qemu-ga-ref). The agent answers in the
 * order of the questions and says nothing by itself.
 */
import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** The agent could not do it. */
export class QgaRefusal extends Error {
  /** The class of the error, as `GenericError`, `CommandNotFound`. */
  readonly errorClass: string

  constructor(errorClass: string, description: string) {
    super(description)
    this.errorClass = errorClass
  }
}

/** Before the answer to `guest-sync-delimited`: whatever was before it is no part of it. */
const DELIMITER = 0xff

/**
 * After so long without an answer something more is sent, which does no harm: on a busy host an answer was seen to be missing
 * for a minute, while the next request had its own at once. Milliseconds.
 */
const NUDGE_MS = 3_000

/** An agent that is not there is not written to for ever. */
const MOST_NUDGES = 10

interface Answer {
  readonly id?: unknown
  readonly return?: unknown
  readonly error?: { readonly class?: string; readonly desc?: string }
}

/** The line of one machine. */
export class QgaConnection {
  readonly #open: () => Duplex
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  // Another process may have asked something of an agent that was saved before it answered.
  #lastId = randomInt(2 ** 31)
  #stream: Duplex | undefined
  #nudging: NodeJS.Timeout | undefined
  #ready: Promise<void> | undefined

  /** @param open gives the port, once the machine runs */
  constructor(open: () => Duplex) {
    this.#open = open
  }

  /** Resolves when the agent answers. The same promise each time. */
  ready(): Promise<void> {
    this.#ready ??= this.#connect()
    return this.#ready
  }

  /**
   * Asks the agent, which answers in the order it is asked.
   * @throws QgaRefusal
   */
  execute(command: string, commandArguments: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#lastId
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#stream?.write(`${JSON.stringify({ execute: command, arguments: commandArguments, id })}\n`)
    this.#nudgeLater()
    return answer.promise
  }

  #nudgeLater(): void {
    clearInterval(this.#nudging)
    if (this.#waiting.size === 0) return
    let left = MOST_NUDGES
    this.#nudging = setInterval(() => {
      if (left-- > 0) this.#stream?.write(`${JSON.stringify({ execute: 'guest-ping', arguments: {} })}\n`)
      else clearInterval(this.#nudging)
    }, NUDGE_MS).unref()
  }

  #connect(): Promise<void> {
    const stream = this.#open()
    this.#stream = stream
    const { promise, resolve } = Promise.withResolvers<void>()
    const sync = randomInt(2 ** 47)
    const lines = new Lines((text) => {
      const answer = parse(text)
      if (answer.return === sync) resolve()
      else this.#take(answer)
    })
    stream.on('data', (chunk: Buffer) => lines.push(chunk))
    // The machine has ended: whoever waits learns it elsewhere.
    stream.on('error', () => {})
    // The delimiter ends whatever the agent was in the middle of reading.
    stream.write(Buffer.of(DELIMITER))
    stream.write(`${JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id: sync } })}\n`)
    return promise
  }

  #take({ id, return: value, error }: Answer): void {
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (waiting === undefined) return
    this.#waiting.delete(Number(id))
    this.#nudgeLater()
    if (error === undefined) waiting.resolve(value)
    else waiting.reject(new QgaRefusal(error.class ?? '', error.desc ?? 'no reason given'))
  }
}

/** Lines of text; what is before a delimiter is thrown away. */
class Lines {
  readonly #take: (line: string) => void
  readonly #decoder = new StringDecoder('latin1')
  #pieces: string[] = []

  constructor(take: (line: string) => void) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    const delimiter = chunk.lastIndexOf(DELIMITER)
    if (delimiter >= 0) this.#pieces = []
    // JSON of this agent is ASCII: its strings are base64 or escaped.
    const [first = '', ...more] = this.#decoder.write(chunk.subarray(delimiter + 1)).split('\n')
    this.#pieces.push(first)
    for (const piece of more) {
      const line = this.#pieces.join('')
      this.#pieces = [piece]
      if (line.trim() !== '') this.#take(line)
    }
  }
}

function parse(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : {}
  } catch {
    // The rest of an answer to someone else.
    return {}
  }
}

/**
 * The line to QEMU's guest agent: JSON both transports, one message a line (docs/interop/qemu-ga-ref). The agent answers in the
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
 * The agent reads so many bytes at once, and on a virtio port every answer that it writes while it has read more than that
 * is lost: GLib takes the port, a character device, for seekable, and before a write it seeks back over what was read ahead,
 * which fails (glib/giochannel.c, g_io_channel_write_chars; qga/main.c, QGA_READ_COUNT_DEFAULT). So what it was asked and
 * has not answered never is more than that, but for one long question alone.
 */
const READ_BYTES = 4_096

/**
 * An agent that is started anew forgets what it was asked, and says nothing of it: after so long without an answer it is
 * asked for a sign of life, whose answer shows what has none. Milliseconds.
 */
const NUDGE_MS = 3_000

/** An agent that is not there is not written to for ever. */
const MOST_NUDGES = 10

/** What the agent is asked. */
interface Question {
  readonly id: number
  readonly text: string
  readonly bytes: number
  readonly answer: PromiseWithResolvers<unknown>
}

interface Answer {
  readonly id?: unknown
  readonly return?: unknown
  readonly error?: { readonly class?: string; readonly desc?: string }
}

/** The line of one machine. */
export class QgaConnection {
  readonly #open: () => Duplex
  /** Not sent yet. */
  readonly #queue: Question[] = []
  /** Sent and not answered, in this order. */
  readonly #asked: Question[] = []
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
    const question = this.#question(command, commandArguments)
    this.#queue.push(question)
    this.#sendNext()
    return question.answer.promise
  }

  #question(command: string, commandArguments: Readonly<Record<string, unknown>>): Question {
    const id = ++this.#lastId
    const json = JSON.stringify({ execute: command, arguments: commandArguments, id })
    const length = Buffer.byteLength(json)
    // A line end that the agent reads after the rest would be more than it has answered.
    const text = length < READ_BYTES ? `${json}\n` : json
    return { id, text, bytes: length + 1, answer: Promise.withResolvers<unknown>() }
  }

  #sendNext(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#hasRoom(next); next = this.#queue[0]) {
      this.#queue.shift()
      this.#send(next)
    }
  }

  #hasRoom({ bytes }: Question): boolean {
    if (this.#stream === undefined) return false
    const unanswered = this.#asked.reduce((sum, question) => sum + question.bytes, 0)
    return unanswered === 0 || unanswered + bytes <= READ_BYTES
  }

  #send(question: Question): void {
    this.#asked.push(question)
    this.#stream?.write(question.text)
    if (this.#asked.length === 1) this.#nudgeLater()
  }

  #nudgeLater(): void {
    clearInterval(this.#nudging)
    if (this.#asked.length === 0) return
    let left = MOST_NUDGES
    this.#nudging = setInterval(() => {
      const ping = this.#question('guest-ping', {})
      ping.answer.promise.catch(() => {})
      // Behind a long question there is no room; one that has taken so long is lost.
      if (this.#hasRoom(ping) || left === 1) this.#send(ping)
      if (--left === 0) clearInterval(this.#nudging)
    }, NUDGE_MS).unref()
  }

  #connect(): Promise<void> {
    const stream = this.#open()
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
    // It is answered first, so what follows is asked of an agent that is there.
    return promise.then(() => {
      this.#stream = stream
      this.#sendNext()
    })
  }

  #take({ id, return: value, error }: Answer): void {
    const index = this.#asked.findIndex((question) => question.id === id)
    if (index < 0) return
    const answered = this.#asked.splice(0, index + 1)
    const question = answered.pop()
    for (const { answer } of answered) answer.reject(new QgaRefusal('Lost', 'it was started anew, and did not answer'))
    if (error === undefined) question?.answer.resolve(value)
    else question?.answer.reject(new QgaRefusal(error.class ?? '', error.desc ?? 'no reason given'))
    this.#nudgeLater()
    this.#sendNext()
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

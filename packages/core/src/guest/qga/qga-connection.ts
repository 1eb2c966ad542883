/**
 * Connection to QEMU's guest agent: JSON in both directions, one message per line (docs/interop/qemu-ga-ref). The agent
 * sends only answers, in the order of the requests.
 */
import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { startTimer, stopTimer } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'

/** The agent refused a request. */
export class QgaRefusal extends Error {
  /** Class of the error, such as `GenericError` or `CommandNotFound`. */
  readonly errorClass: string

  constructor(errorClass: string, description: string) {
    super(description)
    this.errorClass = errorClass
  }
}

/** Byte before the answer to `guest-sync-delimited`. Everything before it is dropped. */
const DELIMITER = 0xff

/**
 * Most bytes of unanswered requests, unless a single request is longer. The agent reads up to this many bytes at once.
 * If more input is buffered when it writes an answer, the answer is lost: GLib assumes that the virtio port is seekable
 * and seeks back over the buffered input before the write, which fails (glib/giochannel.c, g_io_channel_write_chars;
 * qga/main.c, QGA_READ_COUNT_DEFAULT).
 */
const READ_BYTES = 4_096

/**
 * Time without an answer after which a ping is sent. Its answer shows whether the agent was restarted and has lost its
 * requests. Milliseconds.
 */
const NUDGE_MS = 3_000

/** Number of unanswered pings after which no more are sent. */
const MOST_NUDGES = 10

/** A request to the agent. */
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

/** The connection of one machine. */
export class QgaConnection {
  readonly #open: () => Duplex
  /** Requests not yet sent. */
  readonly #queue: Question[] = []
  /** Requests sent but not answered, in order. */
  readonly #asked: Question[] = []
  // Starts at a random number, because a restored agent may still answer requests of another process.
  #lastId = nodeCrypto().randomInt(2 ** 31)
  #stream: Duplex | undefined
  #nudging: NodeJS.Timeout | undefined
  #ready: Promise<void> | undefined

  /** @param open returns the port when the machine runs */
  constructor(open: () => Duplex) {
    this.#open = open
  }

  /** Resolves when the agent answers. Returns the same promise each time. */
  ready(): Promise<void> {
    this.#ready ??= this.#connect()
    return this.#ready
  }

  /**
   * Sends a request and returns its answer. Answers arrive in order.
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
    // A long request gets no line end, because the request with it would exceed the buffer of the agent.
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
    stopTimer(this.#nudging)
    if (this.#asked.length === 0) return
    let left = MOST_NUDGES
    this.#nudging = startTimer(() => {
      const ping = this.#question('guest-ping', {})
      ping.answer.promise.catch(() => {})
      // After a long request, the buffer has no space for a ping. At the last interval, the request counts as lost, and
      // the ping is sent anyway.
      if (this.#hasRoom(ping) || left === 1) this.#send(ping)
      if (--left > 0) this.#nudging?.refresh()
    }, NUDGE_MS).unref()
  }

  #connect(): Promise<void> {
    const stream = this.#open()
    const { promise, resolve } = Promise.withResolvers<void>()
    const sync = nodeCrypto().randomInt(2 ** 47)
    const lines = new Lines((text) => {
      const answer = parse(text)
      if (answer.return === sync) resolve()
      else this.#take(answer)
    })
    stream.on('data', (chunk: Buffer) => lines.push(chunk))
    // The end of the machine is reported elsewhere.
    stream.on('error', () => {})
    // The delimiter ends an incomplete message in the agent.
    stream.write(Buffer.of(DELIMITER))
    stream.write(`${JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id: sync } })}\n`)
    // Further requests wait for this answer, because it proves that the agent runs.
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
    for (const { answer } of answered) answer.reject(new QgaRefusal('Lost', 'it was restarted and did not answer'))
    if (error === undefined) question?.answer.resolve(value)
    else question?.answer.reject(new QgaRefusal(error.class ?? '', error.desc ?? 'no reason given'))
    this.#nudgeLater()
    this.#sendNext()
  }
}

/** Longest line, characters; longer ones lose their start. The agent returns up to 16 MB of each output, as base64. */
const LONGEST_LINE = 64 * 2 ** 20

/** Splits input into lines. Drops all data before a delimiter, and the start of lines that are too long. */
class Lines {
  readonly #take: (line: string) => void
  readonly #decoder = new StringDecoder('latin1')
  #pieces: string[] = []
  #length = 0

  constructor(take: (line: string) => void) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    const delimiter = chunk.lastIndexOf(DELIMITER)
    if (delimiter >= 0) this.#start('')
    // The JSON of the agent is ASCII, because its strings are base64 or escaped.
    const [first = '', ...more] = this.#decoder.write(chunk.subarray(delimiter + 1)).split('\n')
    this.#pieces.push(first)
    this.#length += first.length
    for (const piece of more) {
      const line = this.#pieces.join('')
      this.#start(piece)
      if (line.trim() !== '') this.#take(line)
    }
    if (this.#length > LONGEST_LINE) this.#start('')
  }

  #start(piece: string): void {
    this.#pieces = [piece]
    this.#length = piece.length
  }
}

function parse(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : {}
  } catch {
    // Not JSON: the rest of an answer for another process.
    return {}
  }
}

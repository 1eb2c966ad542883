/** Client of the QEMU Machine Protocol (QMP): JSON lines, commands with ids, events. */
import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { MachineError } from '../errors.ts'
import { now, wallClock } from '../host/clock.ts'

/** A QMP event, such as `SHUTDOWN` with `{ guest: true, reason: 'guest-shutdown' }`. */
export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
  /** Time at which QEMU sent it, milliseconds since 1970. */
  readonly timestamp: number
}

/** A QMP message. */
export interface QmpMessage {
  readonly direction: 'sent' | 'received'
  readonly message: Readonly<Record<string, unknown>>
  /** Time of the message, on the clock of `performance.now()`. */
  readonly at: number
}

/** Longest accepted line, characters. */
const LONGEST_LINE = 64 * 2 ** 20
/** Length of the part of a line that an error shows, characters. */
const SHOWN = 200

/** Most messages kept for a later observer. A pooled machine has about 30. */
const MOST_KEPT = 200

interface PendingCommand {
  readonly command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

/** QMP client on one stream. Pending commands are rejected when the stream ends. */
export class QmpClient {
  readonly #stream: Duplex
  readonly #pending = new Map<number, PendingCommand>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  readonly #decoder = new StringDecoder('utf8')
  #nextId = 1
  /** Messages from before the observer was set. */
  #early: QmpMessage[] | undefined
  #observer: ((message: QmpMessage) => void) | undefined
  #rest = ''
  /** Creates the error for commands after the end of the stream. */
  #gone: ((command: string) => MachineError) | undefined
  #greeted: PendingCommand | undefined
  readonly #greeting: Promise<unknown>

  /** @param earlier messages that another client of this QEMU has received, for the observer */
  constructor(stream: Duplex, earlier: readonly QmpMessage[] = []) {
    this.#stream = stream
    this.#early = [...earlier]
    this.#greeting = new Promise((resolve, reject) => {
      this.#greeted = { command: 'greeting', resolve, reject }
    })
    this.#greeting.catch(() => {})
    stream.on('data', (chunk: Buffer) => this.#receive(this.#decoder.write(chunk)))
    // The exit of QEMU appears as a connection reset on an inherited socket.
    stream.on('error', () => this.#end())
    stream.on('close', () => this.#end())
    stream.on('end', () => this.#end())
  }

  /**
   * Negotiates capabilities and waits until QEMU answers commands. QEMU sends the greeting before it creates the
   * machine.
   *
   * @returns version of QEMU, such as `7.2.22`
   * @throws MachineError `MACHINE_EXITED`
   */
  async connect(): Promise<string> {
    // Both commands are sent without waiting, to save round trips at each start. QEMU reads them in order.
    const answers = [this.#greeting, this.execute('qmp_capabilities'), this.execute('query-status')]
    const [greeting] = (await Promise.all(answers)) as [{ QMP?: { version?: { qemu?: Record<string, number> } } }]
    const version = greeting.QMP?.version?.qemu
    return `${version?.['major'] ?? 0}.${version?.['minor'] ?? 0}.${version?.['micro'] ?? 0}`
  }

  /**
   * @returns the return value of the command
   * @throws MachineError `QMP_FAILED` with QEMU's reason, or when QEMU sends a line that is not a message;
   *   `MACHINE_EXITED` when the stream has ended
   */
  execute(command: string, commandArguments?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone(command))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject })
      const message = { execute: command, arguments: commandArguments, id }
      this.#note('sent', message)
      this.#stream.write(`${JSON.stringify(message)}\n`)
    })
  }

  /** Rejects at the end of the stream, as {@link execute} does. Never resolves. */
  unanswered(command: string): Promise<never> {
    if (this.#gone) return Promise.reject(this.#gone(command))
    return new Promise((_, reject) => void this.#pending.set(this.#nextId++, { command, resolve() {}, reject }))
  }

  /** Passes all earlier and later messages to the observer; undefined for no observer. Called once. */
  observe(observer: ((message: QmpMessage) => void) | undefined): void {
    if (observer) for (const message of this.#early ?? []) observer(message)
    this.#early = undefined
    this.#observer = observer
  }

  /** Stops reading, so that another client can take over. @returns the messages so far */
  release(): readonly QmpMessage[] {
    this.#stream.removeAllListeners('data').pause()
    // Gives an incomplete message back to the stream, for the other client.
    if (this.#rest !== '') this.#stream.unshift(Buffer.from(this.#rest))
    return this.#early ?? []
  }

  /** Calls `listener` for each event until the returned object is disposed. */
  onEvent(listener: (event: QmpEvent) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  #receive(text: string): void {
    if (this.#gone) return
    const [end = '', ...more] = text.split('\n')
    this.#rest += end
    for (const next of more) {
      const line = this.#rest
      this.#rest = next
      if (line.trim() === '') continue
      const message = messageIn(line)
      if (message === undefined) return this.#fail(line)
      this.#dispatch(message)
    }
    if (this.#rest.length > LONGEST_LINE) this.#fail(this.#rest)
  }

  /** Ends the client after a line that is not a message, because answers may be lost. */
  #fail(line: string): void {
    this.#rest = ''
    const shown = JSON.stringify(line.slice(0, SHOWN))
    this.#end((command) => failed(`QEMU did not answer \`${command}\`, but sent a line that is not QMP: ${shown}`))
  }

  #dispatch(message: Record<string, unknown>): void {
    this.#note('received', message)
    if ('QMP' in message) this.#greeted?.resolve(message)
    else if ('event' in message) this.#publish(message)
    else this.#settle(message)
  }

  #note(direction: QmpMessage['direction'], message: QmpMessage['message']): void {
    if (this.#observer === undefined && this.#early === undefined) return
    const entry = { direction, message, at: now() }
    if (this.#observer) this.#observer(entry)
    else if (this.#early && this.#early.length < MOST_KEPT) this.#early.push(entry)
  }

  #publish(message: Record<string, unknown>): void {
    const { event: name, data, timestamp } = message
    const { seconds, microseconds } = isRecord(timestamp) ? timestamp : {}
    const isTimed = typeof seconds === 'number' && typeof microseconds === 'number'
    const event: QmpEvent = {
      event: typeof name === 'string' ? name : JSON.stringify(name),
      data: isRecord(data) ? data : {},
      timestamp: isTimed ? seconds * 1000 + microseconds / 1000 : wallClock(),
    }
    for (const listener of this.#listeners) listener(event)
  }

  #settle(message: Record<string, unknown>): void {
    const id = Number(message['id'])
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (!pending) return
    const { error } = message
    if (error === undefined) return pending.resolve(message['return'])
    const reason = isRecord(error) && typeof error['desc'] === 'string' ? error['desc'] : 'no reason given'
    pending.reject(failed(`QEMU refused \`${pending.command}\`: ${reason}`))
  }

  #end(gone = exited): void {
    if (this.#gone) return
    this.#gone = gone
    for (const pending of this.#pending.values()) pending.reject(gone(pending.command))
    this.#greeted?.reject(gone('greeting'))
    this.#pending.clear()
  }
}

/** Parses a line; undefined if it is not a message. */
function messageIn(line: string): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(line)
    return isRecord(message) ? message : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function failed(message: string): MachineError {
  return new MachineError('QMP_FAILED', message)
}

function exited(command: string): MachineError {
  return new MachineError('MACHINE_EXITED', `QEMU ended before it answered \`${command}\` on its control channel`)
}

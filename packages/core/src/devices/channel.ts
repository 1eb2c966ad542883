/**
 * Channel between the test and a program in the guest: a virtio-serial port. It transfers every byte unchanged, and
 * blocks the guest instead of losing data.
 */
import type { Duplex } from 'node:stream'
import { ExpectError, OptionError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import type { AttachContext, Device } from './device.ts'
import type { SignalOptions } from './helpers/abortable.ts'
import { InheritedStream } from './helpers/inherited-stream.ts'
import { JsonLines } from './helpers/json-lines.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'

/** The host end of a channel of one machine. Read it either as bytes or as events. */
export interface ChannelPort {
  /**
   * Stream of bytes in both directions; the same object each time. It ends with the machine. `end()` closes the
   * channel, so that the guest reads end of file.
   */
  stream(): Duplex
  /**
   * Events of the guest, one JSON value per line. The last event must be an object whose `event` is `done`. It is the
   * return value of the generator. The iteration can be stopped and continued later without losing events.
   *
   * @throws ExpectError `CHANNEL_ENDED` when the machine ends before the last event, so that a guest that dies silently
   * does not pass; `CHANNEL_GARBLED`, `EXPECT_ABORTED`
   */
  events(options?: SignalOptions): AsyncGenerator<unknown, DoneEvent>
}

/** The last event. A program may add further properties. */
export interface DoneEvent {
  readonly event: 'done'
  readonly [key: string]: unknown
}

/** A device, and the channel of the one machine that runs with it. */
export interface Channel extends Device, ChannelPort {
  /** The channel of one machine. */
  of(vm: object): ChannelPort
}

/**
 * Adds a channel. The guest kernel needs `virtio_console`. A program opens `/dev/virtio-ports/<name>` (created by udev
 * and by the init of `@coldboot/guest`). Data sent before that is queued.
 *
 * @param name 1 to 64 letters, digits, `.`, `_`, `-`; unique in the machine
 * @throws OptionError `INVALID_OPTION`
 */
export function channel(name: string): Channel {
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) {
    const what = '1 to 64 letters, digits, ".", "_", "-"'
    throw new OptionError('INVALID_OPTION', `channel: the name must be ${what}, but is ${JSON.stringify(name)}`)
  }
  const machines = new PerMachine<ChannelPort>('channel')
  return {
    name: 'channel',
    portable: { kind: 'channel', options: { name } },
    claims: [`channel:${name}`],
    qemuArgs(context) {
      const [bus, chardev, fd] = [context.id('ports'), context.id('channel'), context.inherit()]
      return [
        ...[
          '-chardev',
          fd === undefined ? optionString('null', { id: chardev }) : optionString('socket', { id: chardev, fd }),
        ],
        ...['-device', optionString(`virtio-serial-${ARCHITECTURES[context.arch].virtioTransport}`, { id: bus })],
        ...['-device', optionString('virtserialport', { bus: `${bus}.0`, chardev, name })],
      ]
    },
    // With this argument, the guest of `@coldboot/guest` waits for the port before it starts its shell.
    kernelArgs: () => [`coldboot.channel=${name}`],
    attach: (context) => machines.add(context, portOf(name, context)),
    stream: () => machines.get().stream(),
    events: (options) => machines.get().events(options),
    of: (vm) => machines.get(vm),
  }
}

function portOf(name: string, { streams, machineName, exited }: AttachContext): ChannelPort {
  const [socket] = streams
  if (!socket) throw new TypeError('a channel is attached with one stream')
  const what = `channel "${name}" of machine "${machineName}"`
  const stream = new InheritedStream(socket, what, exited)
  const lines = new JsonLines(stream, what)
  let count = 0
  let last: unknown
  return {
    stream: () => stream,
    async *events(options) {
      for (;;) {
        const line = await lines.next(options)
        if (!line) throw endedEarly(what, count, last)
        if (isDone(line.value)) return line.value
        count++
        last = line.value
        yield line.value
      }
    },
  }
}

function isDone(value: unknown): value is DoneEvent {
  return typeof value === 'object' && value !== null && 'event' in value && value.event === 'done'
}

function endedEarly(what: string, count: number, last: unknown): ExpectError {
  const message = `The machine ended before ${what} sent its last event (${count} events so far)`
  return new ExpectError('CHANNEL_ENDED', message, {
    hint: 'The last line of the channel must be {"event":"done"}. The end of the console often shows why it did not come.',
    sections: { 'Last event': last === undefined ? undefined : JSON.stringify(last) },
  })
}

/**
 * Opens the controlling terminal, because workers of test runners do not inherit the standard streams of the terminal.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { OptionError } from '../errors.ts'

const DEVICE = '/dev/tty'

/** A terminal in raw mode: each key is passed on immediately, even Ctrl-C. */
export interface Terminal extends Disposable {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/**
 * Opens the terminal in raw mode. Dispose it to restore its mode.
 * @throws OptionError `NO_TERMINAL`
 */
export function openTerminal(): Terminal {
  const [reading, writing] = open()
  const input = new ReadStream(reading)
  const output = new WriteStream(writing)
  // Errors of a closed terminal are ignored, because the end of its input ends the session.
  for (const stream of [input, output]) stream.on('error', () => {})
  input.setRawMode(true)
  return {
    input,
    output,
    [Symbol.dispose]() {
      input.setRawMode(false)
      input.destroy()
      output.destroy()
    },
  }
}

function open(): readonly [reading: number, writing: number] {
  const descriptors: number[] = []
  try {
    for (let count = 0; count < 2; count++) descriptors.push(openSync(DEVICE, constants.O_RDWR | constants.O_NOCTTY))
    const [reading = 0, writing = 0] = descriptors
    return [reading, writing]
  } catch (cause) {
    for (const descriptor of descriptors) closeSync(descriptor)
    throw new OptionError('NO_TERMINAL', 'There is no terminal to connect to the console of the machine', { cause })
  }
}

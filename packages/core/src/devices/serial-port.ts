/** Port of a `serial()` device in a running machine, with its own console. */
import { join } from 'node:path'
import { Console } from '../console/console.ts'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { Transcript } from '../console/log/transcript.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import { MachineError } from '../errors.ts'
import type { AttachContext } from './device.ts'

/** A serial port of one machine, with the methods of the console. */
export interface SerialPort {
  /** Waits for output of the port: see `vm.expect`. @throws as `vm.expect` does */
  expect(pattern: PatternInput, options?: ExpectOptions): Promise<Match>
  /** Searches all output so far for the pattern. Does not wait, and consumes no output. */
  hasPrinted(pattern: PatternInput): Match | undefined
  /** Sends input to the port. @throws MachineError `MACHINE_EXITED` after the end of the machine */
  send(data: string | Uint8Array): void
  /** The output so far without escape codes, or its end if it is very long. */
  output(): string
}

/** Starts to read the port of one machine. */
export function attachPort({
  streams,
  ids,
  machineName,
  directory,
  exited,
  timeout,
  timeoutMultiplier,
  failOn = {},
}: AttachContext): SerialPort {
  const [socket] = streams
  const [id = ''] = ids
  if (!socket) throw new TypeError('a serial port is attached with one stream')
  const transcript = new Transcript({ file: { path: join(directory, `${id}.log`) } })
  const console = new Console({
    name: `${machineName}, ${id}`,
    transcript,
    timeoutMs: timeout,
    scale: (milliseconds) => milliseconds * timeoutMultiplier,
    failOn,
  })
  console.attach(socket)
  void exited
    .then(() => console.end(() => new MachineError('MACHINE_EXITED', `Machine "${machineName}" ended`)))
    .then(() => transcript.close())
  return {
    expect: (pattern, options) => console.expect(pattern, options),
    hasPrinted: (pattern) => console.hasPrinted(pattern),
    send: (data) => console.send(data),
    output: () => console.text(),
  }
}

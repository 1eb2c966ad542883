/** The port of a `serial()` device in a machine that runs: a console of its own. */
import { join } from 'node:path'
import { Console } from '../console/console.ts'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { Transcript } from '../console/log/transcript.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import { MachineError } from '../errors.ts'
import type { AttachContext } from './device.ts'

/** A serial port of one machine. Works as the machine's own console does. */
export interface SerialPort {
  /** @throws as `vm.expect` does */
  expect(pattern: PatternInput, options?: ExpectOptions): Promise<Match>
  /** Searches all output so far for the pattern. Does not wait and does not consume. */
  hasPrinted(pattern: PatternInput): Match | undefined
  /** Types on it. @throws MachineError `MACHINE_EXITED` after the end */
  send(data: string | Uint8Array): void
  /** The text so far, escape codes removed; of a very long one the end. */
  output(): string
}

/** Begins to listen to the port of one machine. */
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

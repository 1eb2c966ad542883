/** The interface of a QEMU process, for a QEMU that a worker uses through the keeper. */
import { connect, type Socket } from 'node:net'
import type { ProcessExit, QemuProcess } from '../../qemu/process.ts'
import { type GivenMachine, type MachineEnd, onMessage, sendMessage } from './keeper-messages.ts'

/**
 * @param path path of the keeper's socket
 * @param control the connection on which the worker has taken the machine
 */
export function keptProcess(path: string, control: Socket, { machine, pid }: GivenMachine): QemuProcess {
  const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>()
  const streams = new Map<number, Socket>()
  let stderr = ''
  const end = (exit: ProcessExit): void => {
    control.unref()
    resolve(exit)
  }
  onMessage(control, (message) => {
    const { exit, stderr: printed } = message as MachineEnd
    stderr = printed
    end(exit)
  })
  // The connection ends without an exit message if the keeper was killed, and the machine ends with it.
  control.once('close', () => end({ code: undefined, signal: 'SIGKILL' }))
  control.resume()
  return {
    pid,
    stderr: () => stderr,
    exited,
    stream(fd) {
      const stream = streams.get(fd) ?? connect(path)
      if (!streams.has(fd)) sendMessage(stream, { kind: 'stream', machine, fd })
      streams.set(fd, stream)
      return stream
    },
    terminate(signal) {
      if (!control.destroyed) sendMessage(control, { terminate: signal })
    },
    hold(held) {
      for (const socket of [control, ...streams.values()]) {
        if (held) socket.ref()
        else socket.unref()
      }
    },
  }
}

/** QEMU of a machine that a worker uses through the keeper of the run. */
import { connect, type Socket } from 'node:net'
import type { ProcessExit, QemuProcess } from '../../qemu/process.ts'
import { type GivenMachine, type MachineEnd, onMessage, sendMessage } from './keeper-messages.ts'

/**
 * @param path of the keeper's socket
 * @param control the connection on which the machine was given
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
  // The keeper has ended, and the machine with it.
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

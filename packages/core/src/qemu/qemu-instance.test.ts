import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { CONSOLE_FD, type CommandLine, QMP_FD } from './command-line.ts'
import type { ProcessExit, QemuProcess } from './process.ts'
import { QemuInstance } from './qemu-instance.ts'

/** A fake QEMU whose connections can end while it keeps running, until it is killed. */
function startQemu(spec: Partial<MachineSpec> = {}): {
  readonly instance: QemuInstance
  readonly lose: (fd: number) => void
} {
  const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>()
  const pairs = new Map([CONSOLE_FD, QMP_FD].map((fd) => [fd, duplexPair()]))
  const process: QemuProcess = {
    pid: 1,
    stderr: () => '',
    exited,
    stream: (fd) => pairs.get(fd)?.[0] as Duplex,
    terminate: (signal) => resolve({ code: undefined, signal }),
    hold: () => {},
  }
  const instance = QemuInstance.adopt(process, spec as MachineSpec, {} as CommandLine, { shown: '' })
  instance.consoleStream.resume()
  return { instance, lose: (fd) => pairs.get(fd)?.[1].end() }
}

test.concurrent.for([
  [CONSOLE_FD, 'console-lost'],
  [QMP_FD, 'qmp-lost'],
] as const)('a QEMU that runs on without connection %s is killed, with the reason %s', async ([fd, reason]) => {
  const { instance, lose } = startQemu()
  lose(fd)
  expect(await instance.exited).toMatchObject({ reason, signal: 'SIGKILL' })
})

test('a QEMU that does not load its state in time fails the start', async () => {
  const { instance } = startQemu({ timeoutMultiplier: 0.0001 })
  await expect(instance.restore('fd:6')).rejects.toMatchObject({
    code: 'START_FAILED',
    shortMessage: 'QEMU did not load its state within 3 ms',
  })
  instance.kill()
})

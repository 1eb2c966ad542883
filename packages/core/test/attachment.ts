/** Fake machine to which a test attaches a device. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import type { AttachContext, QmpEvent } from '../src/devices/device.ts'

/** Returns the result of a QMP command, or throws. */
export type Answer = (command: string, commandArguments: Readonly<Record<string, unknown>>) => unknown

/** The other side of an {@link AttachContext}. */
export interface PlayedMachine {
  readonly vm: object
  readonly context: AttachContext
  /** The ends of the inherited descriptors in QEMU. */
  readonly theirs: readonly Duplex[]
  /** Emits a QMP event. */
  emit(event: string, data?: Readonly<Record<string, unknown>>): void
  exit(): Promise<void>
}

/** @param ids ids of the device; one stream is created */
export function playMachine(answer: Answer = () => ({}), ids: readonly string[] = []): PlayedMachine {
  const { promise: exited, resolve } = Promise.withResolvers<void>()
  const listeners = new Set<(event: QmpEvent) => void>()
  const [ours, theirs] = duplexPair()
  const vm = {}
  const context: AttachContext = {
    vm,
    machineName: 'vm',
    directory: mkdtempSync(join(tmpdir(), 'coldboot-test-')),
    streams: [ours],
    ids,
    qmp: {
      execute: async (command, commandArguments = {}) => answer(command, commandArguments),
      onEvent(listener) {
        listeners.add(listener)
        return { [Symbol.dispose]: () => listeners.delete(listener) }
      },
    },
    exited,
    onEvent: undefined,
    timeout: 5_000,
    timeoutMultiplier: 1,
    publishPort() {},
  }
  return {
    vm,
    context,
    theirs: [theirs],
    emit(event, data = {}) {
      for (const listener of listeners) listener({ event, data, timestamp: 0 })
    },
    exit() {
      theirs.destroy()
      resolve()
      return exited
    },
  }
}

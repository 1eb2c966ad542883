/**
 * Limits concurrent machines across the processes of this user. First come, first served.
 *
 * Each machine, running or waiting, has a file in one directory. All data is in the name of the file: position in the
 * queue, memory, state, owner and process. Files of dead processes are removed. If every running machine belongs to an
 * owner that waits for another machine, the first machine of the queue is admitted in excess of the limits, because it
 * would wait forever. There is no lock, so machines that are requested at almost the same time may exceed the limits.
 */
import { type FSWatcher, mkdirSync, readdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ExpectError, messageOf, OptionError } from '../../errors.ts'
import { privateParent } from '../files/private-directory.ts'
import { isAlive, thisProcess } from '../process-identity.ts'
import { memoryLimit } from './memory-limit.ts'

/** Limits of all machines together. */
export interface AdmissionLimits {
  /** Most machines that run at once. */
  readonly maxMachines: number
  /** Most guest memory in total, MiB. */
  readonly memoryMib: number
}

/** Admission of one machine. Dispose it when the machine has ended. */
export type Admission = Disposable

/** Options of {@link admit}. */
export interface AdmissionRequest {
  readonly memoryMib: number
  readonly limits: AdmissionLimits
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Called once if the machine must wait, with the number of machines that run or wait before it. */
  readonly onWait?: ((ahead: number) => void) | undefined
  /**
   * Unique id (letters, digits, `_`) of an owner that keeps its machines while it waits for another one, such as a
   * test.
   * @default none: the end of this machine does not depend on other machines
   */
  readonly owner?: string | undefined
  /** Called if the machine is admitted in excess of the limits, with the number of running machines. */
  readonly onDeadlock?: ((running: number) => void) | undefined
  /** Directory of the queue. @default the private directory of this user */
  readonly directory?: string | undefined
}

/** Default limits: 64 machines, and three quarters of the memory that this process may use. */
export const DEFAULT_LIMITS: AdmissionLimits = {
  maxMachines: 64,
  memoryMib: Math.floor((memoryLimit() / 2 ** 20) * 0.75),
}

/** One machine in the queue. */
interface QueueEntry {
  readonly name: string
  readonly sequence: bigint
  readonly memoryMib: number
  readonly running: boolean
  /** See `AdmissionRequest.owner`. */
  readonly owner: string
  /** Identity of the process that wrote the entry. */
  readonly process: string
}

/** Owner in the file name of a machine without an owner. */
const NO_OWNER = '0'

/** Interval of reading the directory, because the death of a process causes no file event. Milliseconds. */
const READ_AGAIN_MS = 1_000

/**
 * Waits until the machine fits within the limits.
 *
 * @throws OptionError `INVALID_OPTION` when the machine alone exceeds the limit of memory
 * @throws ExpectError `EXPECT_ABORTED` with the reason of the signal as its cause
 */
export async function admit(request: AdmissionRequest): Promise<Admission> {
  const { memoryMib, limits, owner = NO_OWNER } = request
  if (memoryMib > limits.memoryMib) {
    throw new OptionError(
      'INVALID_OPTION',
      `\`memory\` is ${memoryMib} MiB, but all machines together may have at most ${limits.memoryMib} MiB`,
      {
        hint: 'Reduce the `memory` of the machine, or raise `memoryBudget`.',
      },
    )
  }
  const directory = request.directory ?? join(privateParent(), 'machines')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const sequence = process.hrtime.bigint()
  const name = (state: 'waiting' | 'running'): string => `${sequence}-${memoryMib}-${state}-${owner}-${thisProcess()}`
  writeFileSync(join(directory, name('waiting')), '', { mode: 0o600 })
  try {
    await untilRoom({ ...request, directory, sequence })
    renameSync(join(directory, name('waiting')), join(directory, name('running')))
  } catch (error) {
    rmSync(join(directory, name('waiting')), { force: true })
    throw error
  }
  return runningEntry(join(directory, name('running')))
}

/** Entries of the running machines of this process. */
const running = new Set<string>()

/** The admission of an entry. The exit of this process removes the entry too. */
function runningEntry(path: string): Admission {
  if (running.size === 0) process.once('exit', removeEntries)
  running.add(path)
  return {
    [Symbol.dispose]() {
      rmSync(path, { force: true })
      running.delete(path)
      if (running.size === 0) process.off('exit', removeEntries)
    },
  }
}

function removeEntries(): void {
  for (const path of running) rmSync(path, { force: true })
}

/** Admits a machine if it fits now, in addition to the whole queue. Otherwise, or after an error, returns undefined. */
export async function admitNow(memoryMib: number, limits: AdmissionLimits): Promise<Admission | undefined> {
  const stop = new AbortController()
  const request = { memoryMib, limits, signal: stop.signal, onWait: () => stop.abort() }
  return admit(request).catch(() => undefined)
}

interface Queueing extends AdmissionRequest {
  readonly directory: string
  readonly sequence: bigint
}

async function untilRoom(queueing: Queueing): Promise<void> {
  const { directory, sequence, memoryMib, limits, signal, onWait, onDeadlock } = queueing
  for (let round = 0; ; round++) {
    if (signal?.aborted) throw aborted(signal.reason)
    const changed = new AbortController()
    // Watched before the directory is read, so that no change is missed. Most machines need not wait, and a watcher takes 1 ms of
    // CPU time, so the first round has none.
    const watcher = round === 0 ? undefined : watched(directory, () => changed.abort())
    try {
      const all = queueEntries(directory)
      const ahead = all.filter((entry) => entry.running || entry.sequence < sequence)
      const memory = ahead.reduce((sum, entry) => sum + entry.memoryMib, memoryMib)
      if (ahead.length < limits.maxMachines && memory <= limits.memoryMib) return
      if (ahead.every(({ running }) => running) && isDeadlock(all)) return onDeadlock?.(ahead.length)
      if (round === 0) continue
      if (round === 1) onWait?.(ahead.length)
      const wake = AbortSignal.any([changed.signal, ...(signal ? [signal] : [])])
      await delay(READ_AGAIN_MS, undefined, { signal: wake }).catch(() => {})
    } finally {
      watcher?.close()
    }
  }
}

/** Undefined if the system has no file watchers left. The directory is then read only at each interval. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, onChange).on('error', () => {})
  } catch {
    return undefined
  }
}

function aborted(cause: unknown): ExpectError {
  const why = messageOf(cause)
  return new ExpectError('EXPECT_ABORTED', `The wait for other machines to end was aborted: ${why}`, { cause })
}

/** Whether every running machine belongs to an owner that waits for another machine. */
function isDeadlock(all: readonly QueueEntry[]): boolean {
  const waiting = new Set(all.filter(({ running }) => !running).map(({ owner }) => owner))
  return all.every(({ running, owner }) => !running || (owner !== NO_OWNER && waiting.has(owner)))
}

/** Reads the queue, and removes the entries of dead processes. */
function queueEntries(directory: string): readonly QueueEntry[] {
  return readdirSync(directory).flatMap((name) => {
    const parts = /^(\d+)-(\d+)-(waiting|running)-(\w+)-(.+)$/.exec(name)
    if (parts === null) return []
    const [, sequence = '0', memory = '0', state, owner = '', process = ''] = parts
    if (!isAlive(process)) {
      rmSync(join(directory, name), { force: true })
      return []
    }
    return [
      { name, sequence: BigInt(sequence), memoryMib: Number(memory), running: state === 'running', owner, process },
    ]
  })
}

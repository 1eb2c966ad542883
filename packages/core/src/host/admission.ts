/**
 * How many machines run at once, all processes of this user together: who would go beyond the limits waits, in the order
 * of asking. Each machine, running or waiting, is a file in one directory, named by its sequence in the queue and its owner;
 * a dead owner's files do not count, so that nobody waits for the dead. Nor for each other: where all that run are held by
 * somebody who waits for one more, the first of those is let in beyond the limits.
 *
 * Two that ask within the same microseconds may both be let in: the limits are of comfort, not of safety.
 */
import { type FSWatcher, mkdirSync, readdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ExpectError, OptionError } from '../errors.ts'
import { memoryLimit } from './memory-limit.ts'
import { privateParent } from './private-directory.ts'
import { isAlive, thisProcess } from './process-identity.ts'

/** What all machines together stay within. */
export interface AdmissionLimits {
  /** Machines that run at once. */
  readonly maxMachines: number
  /** Guest memory they have together, MiB. */
  readonly memoryMib: number
}

/** A machine that was let in. Dispose it when the machine has ended. */
export type Admission = Disposable

/** What {@link admit} is asked for. */
export interface AdmissionRequest {
  readonly memoryMib: number
  readonly limits: AdmissionLimits
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Told once, when there is a wait, with the machines ahead. */
  readonly onWait?: ((ahead: number) => void) | undefined
  /**
   * Who keeps the machine until others that it waits for are there, too, as a test does: letters and digits, unlike those of
   * all other holders. @default nobody: the machine ends whatever others do
   */
  readonly owner?: string | undefined
  /** Told when it is let in beyond the limits, with the machines that run. */
  readonly onDeadlock?: ((running: number) => void) | undefined
  /** @default the user's private directory */
  readonly directory?: string | undefined
}

/** By default as many as there is memory for, and no more than a host can do something sensible with. */
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
  /** Who asked for it; see `AdmissionRequest.owner`. */
  readonly owner: string
  /** Identity of the process that wrote the entry. */
  readonly process: string
}

/** Stands for a missing owner. */
const NOBODY = '0'

/** A dead owner makes no event: whoever waits looks again after this time. Milliseconds. */
const LOOK_AGAIN_MS = 1_000

/**
 * Waits until the machine fits within the limits.
 *
 * @throws OptionError `INVALID_OPTION` when it alone goes beyond them
 * @throws ExpectError `EXPECT_ABORTED`, the signal's reason as its cause
 */
export async function admit(request: AdmissionRequest): Promise<Admission> {
  const { memoryMib, limits, owner = NOBODY } = request
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
  return { [Symbol.dispose]: () => rmSync(join(directory, name('running')), { force: true }) }
}

/** Lets a machine in if it fits at once, and nobody waits; else undefined. */
export async function admitNow(memoryMib: number, limits: AdmissionLimits): Promise<Admission | undefined> {
  const impatient = new AbortController()
  const request = { memoryMib, limits, signal: impatient.signal, onWait: () => impatient.abort() }
  return admit(request).catch(() => undefined)
}

interface Queueing extends AdmissionRequest {
  readonly directory: string
  readonly sequence: bigint
}

async function untilRoom(queueing: Queueing): Promise<void> {
  const { directory, sequence, memoryMib, limits, signal, onWait, onDeadlock } = queueing
  for (let told = false; ; told = true) {
    if (signal?.aborted) throw aborted(signal.reason)
    const changed = new AbortController()
    // Watched before the look, so that no change between the two is missed.
    const watcher = watched(directory, () => changed.abort())
    try {
      const all = queueEntries(directory)
      const ahead = all.filter((entry) => entry.running || entry.sequence < sequence)
      const memory = ahead.reduce((sum, entry) => sum + entry.memoryMib, memoryMib)
      if (ahead.length < limits.maxMachines && memory <= limits.memoryMib) return
      if (ahead.every(({ running }) => running) && isDeadlock(all)) return onDeadlock?.(ahead.length)
      if (!told) onWait?.(ahead.length)
      const wake = AbortSignal.any([changed.signal, ...(signal ? [signal] : [])])
      await delay(LOOK_AGAIN_MS, undefined, { signal: wake }).catch(() => {})
    } finally {
      watcher?.close()
    }
  }
}

/** Undefined where the system has no watcher left, as many editors take; who waits then looks again in time. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, onChange).on('error', () => {})
  } catch {
    return undefined
  }
}

function aborted(cause: unknown): ExpectError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ExpectError('EXPECT_ABORTED', `The wait for other machines to end was aborted: ${why}`, { cause })
}

/** Whether every machine that runs is held by somebody who waits. */
function isDeadlock(all: readonly QueueEntry[]): boolean {
  const waiting = new Set(all.filter(({ running }) => !running).map(({ owner }) => owner))
  return all.every(({ running, owner }) => !running || (owner !== NOBODY && waiting.has(owner)))
}

/** Who runs and who waits; what dead owners left is removed. */
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

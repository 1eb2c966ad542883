/**
 * Warm pool: restores the next machine of a template while a test runs, and leaves it stopped, so that the next start
 * only needs a `cont`. There is one machine per template and process, or two if tests are shorter than a restore.
 * Pooled machines do not keep the process running, and end at its exit. `endPool` ends them earlier.
 */
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Admission, type AdmissionLimits, admitNow } from '../host/machines/admission.ts'
import { discard, type Launched } from '../machine/launch.ts'
import { onEndPool } from './end-pool.ts'
import { launchFrom, type Restoration } from './restore.ts'

/** A pooled machine and its admission. */
interface PooledMachine {
  readonly launched: Launched
  readonly admission: Admission | undefined
}

/** A machine that is being restored for the pool. */
interface PendingMachine {
  /** Undefined if the limits do not allow the machine, or its restore failed. */
  readonly machine: Promise<PooledMachine | undefined>
  /** Aborted when a start takes the machine, to skip the rest of its warm-up. */
  readonly taken: AbortController
  settled: boolean
}

/** Two machines with the same key are interchangeable. */
export interface PoolKey {
  /** Key of the template. */
  readonly key: string
  /** Identity of the parts in which machines of one template differ, such as shared directories. */
  readonly identity: string
}

/** The pooled machines of a template, the next one first. */
interface Pool {
  readonly identity: string
  readonly pending: PendingMachine[]
  /** Whether the pool has two machines, because one was still being restored when the last one was taken. */
  concurrent: boolean
}

/** Keys of templates whose machines differ from test to test, so that the next machine cannot be predicted. */
const unpredictable = new Set<string>()

/** By the key of the template, the least recently used first. */
const pools = new Map<string, Pool>()

/** Most templates with pooled machines at once. */
const MOST_TEMPLATES = 4

/** Restores the next machine of a template in the background, or the next two, unless the pool has them. */
export function refillPool({ key, identity }: PoolKey, restoration: Restoration, limits?: AdmissionLimits): void {
  if (unpredictable.has(key)) return
  const pool = pools.get(key) ?? { pending: [], concurrent: false, identity }
  pools.delete(key)
  pools.set(key, pool)
  for (const unused of [...pools.keys()].slice(0, -MOST_TEMPLATES)) void endPoolOf(unused)
  while (pool.pending.length < (pool.concurrent ? 2 : 1)) pool.pending.push(beginRestore(restoration, limits, pool))
}

function beginRestore(
  restoration: Restoration,
  limits: AdmissionLimits | undefined,
  { concurrent }: Pool,
): PendingMachine {
  const taken = new AbortController()
  const lines = concurrent ? CONCURRENT_WARM_UP_LINES : WARM_UP_LINES
  // A failed refill is ignored. The next start works without the pool.
  const machine = restoreWithin(limits, restoration.spec.memoryMib, () =>
    restoreWarm(restoration, lines, taken.signal),
  ).catch(() => undefined)
  const pending = { machine, taken, settled: false }
  void machine.then(() => {
    pending.settled = true
  })
  return pending
}

/** Restores a machine if the limits allow it. Its admission lasts until it leaves the pool. */
async function restoreWithin(
  limits: AdmissionLimits | undefined,
  memoryMib: number,
  restore: () => Promise<Launched>,
): Promise<PooledMachine | undefined> {
  const admission = limits && (await admitNow(memoryMib, limits))
  if (limits !== undefined && admission === undefined) return undefined
  try {
    return { launched: await restore(), admission }
  } catch (error) {
    admission?.[Symbol.dispose]()
    throw error
  }
}

/**
 * Takes the pooled machine, and waits for it if it is still being restored; undefined if there is none. If the machine
 * that is asked for differs from the pooled one, the pool of the template is ended and not filled again.
 */
export async function takePooled({ key, identity }: PoolKey): Promise<Launched | undefined> {
  const pool = pools.get(key)
  if (pool !== undefined && pool.identity !== identity) {
    unpredictable.add(key)
    await endPoolOf(key)
    return undefined
  }
  return takeFrom(pool)
}

async function takeFrom(pool: Pool | undefined): Promise<Launched | undefined> {
  // Removed before it is awaited, so that two concurrent starts do not get the same machine.
  const next = pool?.pending.shift()
  if (pool === undefined || next === undefined) return undefined
  pool.concurrent = !next.settled || pool.pending.some(({ settled }) => !settled)
  next.taken.abort()
  const pooled = await next.machine
  pooled?.admission?.[Symbol.dispose]()
  if (pooled === undefined || !pooled.launched.machine.gone) return pooled?.launched
  await discard(pooled.launched)
  return undefined
}

/** Resolves when no machine is being restored for the pool. */
export async function poolSettled(): Promise<void> {
  await Promise.all([...pools.values()].flatMap(({ pending }) => pending.map(({ machine }) => machine)))
}

onEndPool(async () => {
  await Promise.all([...pools.keys()].map(endPoolOf))
})

async function endPoolOf(key: string): Promise<void> {
  const pool = pools.get(key)
  pools.delete(key)
  const left = [...(pool?.pending ?? [])].map(async () => {
    const launched = await takeFrom(pool)
    if (launched !== undefined) await discard(launched)
  })
  await Promise.all(left)
}

async function restoreWarm(restoration: Restoration, lines: number, taken: AbortSignal): Promise<Launched> {
  const launched = await launchFrom(restoration)
  if (!taken.aborted) {
    launched.machine.hold(false)
    taken.addEventListener('abort', () => launched.machine.hold(true), { once: true })
  }
  try {
    await warm(launched, restoration, lines, taken)
    return launched
  } catch (error) {
    await discard(launched)
    throw error
  }
}

/** A shell prompt: an empty line has no effect there and prints the prompt again. */
const SHELL_PROMPT = /[#$] $/
/** Shell integration mark after a prompt (OSC 133), as printed by the guest of `@coldboot/guest`. */
const MARK_AFTER_PROMPT = '\x1b]133;B\x07'
/** Number of empty lines sent. QEMU translates most of the code during the first lines. */
const WARM_UP_LINES = 4
/** The number while tests are shorter than a restore. */
const CONCURRENT_WARM_UP_LINES = 1

/**
 * Runs the guest for a moment, so that QEMU translates its code before the test. Without hardware acceleration, the
 * first command of a restored machine takes about 25 ms, later ones 5 ms.
 */
async function warm(
  { machine }: Launched,
  { spec: { accelerator, ready }, stored }: Restoration,
  lines: number,
  taken: AbortSignal,
): Promise<void> {
  if (taken.aborted || accelerator !== 'tcg' || typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return
  // Input that arrives while the guest prints a mark would be echoed inside the mark.
  const marked = `${ready}${MARK_AFTER_PROMPT}`
  const prompt = Buffer.from(stored.console).includes(marked) ? marked : ready
  const { consoleStream: stream, qmp } = machine
  await qmp.execute('cont')
  let text = ''
  for (let line = 0; line < lines && !taken.aborted; line++) {
    stream.write('\n')
    text = ''
    while (!text.includes(prompt)) {
      const chunk = stream.read() as Buffer | null
      if (chunk === null) await once(stream, 'readable')
      else text += chunk.toString('latin1')
    }
  }
  await qmp.execute('stop')
  // Reads the last output of the guest, which has arrived but has not been read yet.
  await nextTurn()
  text += ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString('latin1')
  stream.removeAllListeners('readable')
  // Only the output up to the last prompt is dropped. If the guest was stopped while it printed a mark, the test must
  // receive the first part too.
  stream.unshift(Buffer.from(text.slice(text.lastIndexOf(prompt) + prompt.length), 'latin1'))
}

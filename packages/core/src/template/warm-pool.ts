/**
 * Warm pool: restores the next machine of a template while a test runs, and stops it, so that the next test only needs
 * a `cont`. There is one machine per template and process, or two if tests are shorter than a restore. Unused machines
 * are ended at the end.
 */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { type Admission, type AdmissionLimits, admitNow } from '../host/admission.ts'
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
  readonly ahead: Promise<PooledMachine | undefined>
  /** Aborted when a start waits for the machine, to skip the rest of its warm-up. */
  readonly wanted: AbortController
  over: boolean
}

/** Identity of interchangeable machines. */
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
  /** Whether two machines are restored concurrently, because the last one was taken before it was ready. */
  concurrent: boolean
}

/** Templates whose machines differ from test to test, so that the next one cannot be predicted. */
const unpredictable = new Set<string>()

const pools = new Map<string, Pool>()

/** Restores the next machines of a template in the background, unless the pool has them. */
export function refillPool({ key, identity }: PoolKey, restoration: Restoration, limits?: AdmissionLimits): void {
  if (unpredictable.has(key)) return
  const pool = pools.get(key) ?? { pending: [], concurrent: false, identity }
  pools.set(key, pool)
  while (pool.pending.length < (pool.concurrent ? 2 : 1)) pool.pending.push(begin(restoration, limits, pool))
}

function begin(restoration: Restoration, limits: AdmissionLimits | undefined, { concurrent }: Pool): PendingMachine {
  const wanted = new AbortController()
  const rounds = concurrent ? CONCURRENT_ROUNDS : ROUNDS
  // A failed refill is ignored. The next start works without the pool.
  const ahead = within(limits, restoration.spec.memoryMib, () => prepared(restoration, rounds, wanted.signal)).catch(
    () => undefined,
  )
  const making = { ahead, wanted, over: false }
  void ahead.then(() => {
    making.over = true
  })
  return making
}

/** Restores a machine if the limits allow it. Its admission lasts until it has ended or was taken. */
async function within(
  limits: AdmissionLimits | undefined,
  memoryMib: number,
  make: () => Promise<Launched>,
): Promise<PooledMachine | undefined> {
  const admission = limits && (await admitNow(memoryMib, limits))
  if (limits !== undefined && admission === undefined) return undefined
  try {
    return { launched: await make(), admission }
  } catch (error) {
    admission?.[Symbol.dispose]()
    throw error
  }
}

/** Takes the pooled machine, waiting for it if it is still being restored; undefined if there is none. */
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
  const making = pool?.pending.shift()
  if (pool === undefined || making === undefined) return undefined
  pool.concurrent = !making.over || pool.pending.some(({ over }) => !over)
  making.wanted.abort()
  const ahead = await making.ahead
  ahead?.admission?.[Symbol.dispose]()
  if (ahead === undefined || !ahead.launched.machine.gone) return ahead?.launched
  await discard(ahead.launched)
  return undefined
}

/** Resolves when no machine is being restored for the pool. */
export async function poolSettled(): Promise<void> {
  await Promise.all([...pools.values()].flatMap(({ pending }) => pending.map(({ ahead }) => ahead)))
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

async function prepared(restoration: Restoration, rounds: number, wanted: AbortSignal): Promise<Launched> {
  const launched = await launchFrom(restoration)
  try {
    await warm(launched, restoration, rounds, wanted)
    return launched
  } catch (error) {
    await discard(launched)
    throw error
  }
}

/** A shell prompt: an empty line has no effect there and prints the prompt again. */
const SHELL_PROMPT = /[#$] $/
/** Shell integration mark after a prompt (OSC 133), as printed by the guest of `@coldboot/guest`. */
const MARK_BEHIND = '\x1b]133;B\x07'
/** Number of empty lines typed. QEMU translates most of the code during the first ones. */
const ROUNDS = 4
/** The same if machines are needed faster than they are restored. */
const CONCURRENT_ROUNDS = 1

/**
 * Runs the guest for a moment, so that QEMU translates its code before the test. Without hardware acceleration, the
 * first command of a restored machine takes about 25 ms, later ones 5 ms.
 */
async function warm(
  { machine }: Launched,
  { spec: { accelerator, ready }, stored }: Restoration,
  rounds: number,
  wanted: AbortSignal,
): Promise<void> {
  if (wanted.aborted || accelerator !== 'tcg' || typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return
  // Input that arrives while the guest prints a mark would be echoed inside the mark.
  const marked = `${ready}${MARK_BEHIND}`
  const prompt = Buffer.from(stored.console).includes(marked) ? marked : ready
  const { consoleStream: stream, qmp } = machine
  await qmp.execute('cont')
  let text = ''
  for (let round = 0; round < rounds && !wanted.aborted; round++) {
    stream.write('\n')
    text = ''
    while (!text.includes(prompt)) {
      const chunk = stream.read() as Buffer | null
      if (chunk === null) await once(stream, 'readable')
      else text += chunk.toString('latin1')
    }
  }
  await qmp.execute('stop')
  await turn()
  text += ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString('latin1')
  stream.removeAllListeners('readable')
  // Output up to the last prompt belongs to the warm-up. Output after it, such as an incomplete mark, belongs to the
  // test, because the guest may have been stopped in the middle of a mark.
  stream.unshift(Buffer.from(text.slice(text.lastIndexOf(prompt) + prompt.length), 'latin1'))
}

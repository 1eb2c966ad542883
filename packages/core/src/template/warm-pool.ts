/**
 * The next machine of a template, made while a test still runs: launched, restored, warmed and stopped, so that the next
 * test pays for a `cont` alone. One a template and process, two where tests are shorter than the making; what nobody took
 * is ended at the end.
 */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { type Admission, type AdmissionLimits, admitNow } from '../host/admission.ts'
import { discard, type Launched } from '../machine/launch.ts'
import { onEndPool } from './end-pool.ts'
import { launchFrom, type Restoration } from './restore.ts'

/** A machine made ahead, and its place among those that run. */
interface PooledMachine {
  readonly launched: Launched
  readonly admission: Admission | undefined
}

/** A machine being made. */
interface PendingMachine {
  readonly ahead: Promise<PooledMachine | undefined>
  /** Aborted when somebody waits for it: it is then not warmed any further. */
  readonly wanted: AbortController
  over: boolean
}

/** Machines that may stand in for each other. */
export interface PoolKey {
  /** The template's. */
  readonly key: string
  /** Of what machines of one template may differ in: shared directories. */
  readonly identity: string
}

/** The machines of a template that are made ahead, the next one first. */
interface Pool {
  readonly identity: string
  readonly pending: PendingMachine[]
  /** Whether one was still being made when the last was taken: two are then made side by side, on two cores. */
  concurrent: boolean
}

/** Templates whose machines differ from test to test: the next one cannot be known. */
const unpredictable = new Set<string>()

const pools = new Map<string, Pool>()

/** Launches the next machines of a template in the background, unless they are there already. */
export function refillPool({ key, identity }: PoolKey, restoration: Restoration, limits?: AdmissionLimits): void {
  if (unpredictable.has(key)) return
  const pool = pools.get(key) ?? { pending: [], concurrent: false, identity }
  pools.set(key, pool)
  while (pool.pending.length < (pool.concurrent ? 2 : 1)) pool.pending.push(begin(restoration, limits, pool))
}

function begin(restoration: Restoration, limits: AdmissionLimits | undefined, { concurrent }: Pool): PendingMachine {
  const wanted = new AbortController()
  const rounds = concurrent ? CONCURRENT_ROUNDS : ROUNDS
  // A refill that fails is no failure: the next start does without.
  const ahead = within(limits, restoration.spec.memoryMib, () => prepared(restoration, rounds, wanted.signal)).catch(
    () => undefined,
  )
  const making = { ahead, wanted, over: false }
  void ahead.then(() => {
    making.over = true
  })
  return making
}

/** Makes the machine if there is room for it; it has its place until it has ended or was taken. */
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

/** The machine made ahead, also when it is just being made; undefined when there is none. */
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
  // Taken before it is awaited, or two who ask at once would have the same machine.
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

/** Resolves when every machine that is being made ahead is made. */
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

/** A prompt of a shell: an empty line typed there changes nothing and brings it again. */
const SHELL_PROMPT = /[#$] $/
/** Shell integration's mark behind a prompt (OSC 133), as the guest of `@coldboot/guest` prints it. */
const MARK_BEHIND = '\x1b]133;B\x07'
/** Empty pools typed. The first ones cost most: each translates what the guest then runs. */
const ROUNDS = 4
/** The same when machines are wanted faster than they can be made: what takes time from the next one is left to the test. */
const CONCURRENT_ROUNDS = 1

/**
 * Lets the guest run a little, so that QEMU has translated the guest's code before the test counts on it: without
 * hardware acceleration the first command of a restored machine costs some 25 ms, a later one 5.
 */
async function warm(
  { machine }: Launched,
  { spec: { accelerator, ready }, stored }: Restoration,
  rounds: number,
  wanted: AbortSignal,
): Promise<void> {
  if (wanted.aborted || accelerator !== 'tcg' || typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return
  // What is typed while the guest prints a mark is echoed in the middle of the mark, and taken for a part of it.
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
  // What came until the last prompt is of the warming. What stands behind it, as a mark that the save has not seen whole, is
  // of the test: the guest may have been stopped in the middle of it, and half a mark would be taken for text.
  stream.unshift(Buffer.from(text.slice(text.lastIndexOf(prompt) + prompt.length), 'latin1'))
}

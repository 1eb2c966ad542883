/**
 * The next machine of a template, made while a test still runs: launched, restored, warmed and stopped, so that the next
 * test pays for a `cont` alone. At most one a template and process; what nobody took is ended at the end.
 */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { discard, type Launched } from './launch.ts'
import type { MachineSpec } from './machine-spec.ts'
import { launchFrom } from './restore.ts'
import type { StoredTemplate } from './template/template-store.ts'

const waiting = new Map<string, Promise<Launched | undefined>>()

/** Launches the next machine of a template in the background, unless there is one already. */
export function prefetch(key: string, spec: MachineSpec, stored: StoredTemplate): void {
  if (waiting.has(key)) return
  waiting.set(
    key,
    // A prefetch that fails is no failure: the next start does without.
    prepared(spec, stored).catch(() => undefined),
  )
}

/** The machine made ahead, also when it is just being made; undefined when there is none. */
export async function takePrefetched(key: string): Promise<Launched | undefined> {
  const launched = await waiting.get(key)
  waiting.delete(key)
  if (launched === undefined) return undefined
  if (!launched.machine.gone) return launched
  await discard(launched)
  return undefined
}

/** Ends every machine that was made ahead and not taken. */
export async function endPrefetched(): Promise<void> {
  const all = [...waiting.values()]
  waiting.clear()
  await Promise.all(all.map(async (launching) => launching.then((launched) => launched && discard(launched))))
}

async function prepared(spec: MachineSpec, stored: StoredTemplate): Promise<Launched> {
  const launched = await launchFrom(spec, stored)
  try {
    await warm(launched, spec)
    return launched
  } catch (error) {
    await discard(launched)
    throw error
  }
}

/** A prompt of a shell: an empty line typed there changes nothing and brings it again. */
const SHELL_PROMPT = /[#$] $/
/** Empty lines typed. The first ones cost most: each translates what the guest then runs. */
const ROUNDS = 4

/**
 * Lets the guest run a little, so that QEMU has translated the guest’s code before the test counts on it: without
 * hardware acceleration the first command of a restored machine costs some 25 ms, a later one 5.
 */
async function warm({ machine }: Launched, { accelerator, ready }: MachineSpec): Promise<void> {
  if (accelerator !== 'tcg' || typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return
  const { consoleStream: stream, qmp } = machine
  await qmp.execute('cont')
  for (let round = 0; round < ROUNDS; round++) {
    stream.write('\n')
    let text = ''
    while (!text.includes(ready)) {
      const chunk = stream.read() as Buffer | null
      if (chunk === null) await once(stream, 'readable')
      else text += chunk.toString('latin1')
    }
  }
  await qmp.execute('stop')
  // What came until the stop is of the warming, not of the test.
  await turn()
  stream.read()
  stream.removeAllListeners('readable')
}

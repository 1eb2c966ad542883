/** Events that the tests of a round append to a file. */
import { once } from 'node:events'
import { type FSWatcher, readFileSync, watch } from 'node:fs'

/** An event of a test. */
export interface ChaosEvent {
  readonly kind: 'loaded' | 'started' | 'printed' | 'flooded' | 'passed' | 'failed'
  /** Process of the worker. */
  readonly worker: number
  /** With `loaded`: the test file, without its extension. */
  readonly file?: string
  /** Name of the test: its file, and a number. */
  readonly test?: string
  /** With `started`: process of QEMU. */
  readonly machine?: number
  /** With `printed`: number of the last line that was received. */
  readonly lines?: number
  /** With `flooded`: SHA-256 of the output, computed in the guest, and its size. */
  readonly sha256?: string
  readonly bytes?: number
  /** With `failed`. */
  readonly code?: string
  readonly message?: string
}

/** Events so far. The last line may be incomplete. */
export function readEvents(file: string): readonly ChaosEvent[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as ChaosEvent)
}

/**
 * Waits for an event.
 * @returns undefined if the run ends first
 */
export async function eventIn(
  file: string,
  find: (events: readonly ChaosEvent[]) => ChaosEvent | undefined,
  ended: Promise<unknown>,
): Promise<ChaosEvent | undefined> {
  const changes: FSWatcher = watch(file)
  const over = ended.then(() => 'over')
  try {
    for (;;) {
      const changed = once(changes, 'change')
      const found = find(readEvents(file))
      if (found !== undefined) return found
      if ((await Promise.race([changed, over])) === 'over') return find(readEvents(file))
    }
  } finally {
    changes.close()
  }
}

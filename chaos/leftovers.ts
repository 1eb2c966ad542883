/** Finds what a round has left: processes, files, sockets, mounts, locks. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sweep } from '../packages/core/src/host/files/private-directory.ts'
import type { RoundFolders } from './fault.ts'
import { untilGone } from './processes.ts'

/** Longest time in which all processes of a run have ended after the run. Milliseconds. */
const ENDING_MS = 20_000
const LOOK_AGAIN_MS = 100

/**
 * Folders and files of TMPDIR that are kept between runs: the private directories of machines, which are empty, and the caches of
 * Jest and Node.
 */
const KEPT = /^(?:coldboot-\d+|coldboot-\d+\/machines|jest_\w+(?:\/.*)?|node-compile-cache(?:\/.*)?|filler)$/
/** Name of an entry that has the process of its owner. */
const OWNED = /^coldboot-\d+\/(?:machines\/.*-)?\d+-\d+-\d+(?:-[^/]*)?(?:\/.*)?$/

/**
 * @param isKilled whether processes were killed that could not remove their files
 * @param isReadOnly whether nothing could be removed from the cache
 * @returns what is left and is not documented
 */
export async function findLeftovers(
  mark: string,
  folders: RoundFolders,
  isKilled: boolean,
  isReadOnly: boolean,
): Promise<readonly string[]> {
  const processes = await untilGone(mark, ENDING_MS)
  return [
    ...processes.map(({ pid, words }) => `process ${pid} runs: ${words.join(' ').slice(0, 200)}`),
    ...(await temporaryFiles(folders.temporary, isKilled)),
    ...(await boundSockets(folders.temporary)),
    ...cacheFiles(folders.cache, isKilled || isReadOnly),
  ]
}

async function temporaryFiles(temporary: string, isKilled: boolean): Promise<readonly string[]> {
  const list = (): readonly string[] =>
    readdirSync(temporary, { recursive: true, encoding: 'utf8' }).filter((name) => !KEPT.test(name))
  // Files of a killed process are removed by the next start of a machine.
  const early = isKilled ? [] : list().filter((name) => OWNED.test(name))
  const left = await leftAtEnd(() => {
    for (const name of readdirSync(temporary).filter((entry) => /^coldboot-\d+$/.test(entry))) {
      sweep(join(temporary, name))
    }
    return list().filter((name) => !early.includes(name) && !/^coldboot-\d+\/machines\//.test(name))
  })
  return [...early, ...left].map((name) => `file ${name} is left in TMPDIR`)
}

/**
 * Lists repeatedly until nothing is left. A process that is ending frees its memory, and so its environment, by which it
 * is found, before its files and sockets.
 */
async function leftAtEnd(list: () => readonly string[]): Promise<readonly string[]> {
  const end = performance.now() + ENDING_MS
  for (;;) {
    const left = list()
    if (left.length === 0 || performance.now() > end) return left
    await delay(LOOK_AGAIN_MS)
  }
}

/** Sockets with a path below the folder that stay bound. */
async function boundSockets(temporary: string): Promise<readonly string[]> {
  const paths = await leftAtEnd(() => {
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n')
    return lines.map((line) => line.split(' ').at(-1) ?? '').filter((path) => path.startsWith(`${temporary}/`))
  })
  return paths.map((path) => `socket ${path} is bound`)
}

/** Locks and unfinished entries. Those of a killed process expire. */
function cacheFiles(cache: string, mayBeLeft: boolean): readonly string[] {
  if (mayBeLeft || statSync(cache, { throwIfNoEntry: false }) === undefined) return []
  const names = readdirSync(cache, { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => /(?:^|\/)\.new-[^/]*$|\.lock$/.test(name))
    .map((name) => `file ${name} is left in the cache`)
}

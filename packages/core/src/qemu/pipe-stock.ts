/**
 * Named pipes in stock. Node cannot create them, and each start of `mkfifo` blocks this process, for several milliseconds on a
 * busy host.
 */
import { rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../host/files/private-directory.ts'
import { afterLastMachine, liveMachines } from '../host/machines/live-machines.ts'
import { runSilently } from './process.ts'

const SUFFIXES = ['.in', '.out'] as const

/** Pairs that are created at once. */
const BATCH = 8

/** Paths of the pairs in stock, without suffixes. */
const stock: string[] = []
/** Directory of the stock. Removed with the last machine of this process. */
let directory: string | undefined
let refilling: Promise<boolean> | undefined

/**
 * Creates the pipes `${path}.in` and `${path}.out`, mode 0600.
 * @returns false if this system cannot
 */
export async function createPipes(path: string): Promise<boolean> {
  // The stock lasts as long as machines overlap, as those of a pool do.
  const fromStock = liveMachines().length > 0 && (await takeFromStock(path))
  return fromStock || makePairs([path])
}

async function takeFromStock(path: string): Promise<boolean> {
  while (stock.length === 0) {
    refilling ??= refill().finally(() => {
      refilling = undefined
    })
    if (!(await refilling)) return false
  }
  const pair = stock.pop()
  try {
    await Promise.all(SUFFIXES.map((suffix) => rename(`${pair}${suffix}`, `${path}${suffix}`)))
    return true
  } catch {
    // The stock was removed meanwhile, or the folder for temporary files is another one now.
    dropStock()
    await Promise.all(SUFFIXES.map((suffix) => rm(`${path}${suffix}`, { force: true })))
    return false
  }
}

async function refill(): Promise<boolean> {
  afterLastMachine(dropStock)
  directory ??= (await makePrivateDirectory()).path
  const home = directory
  const pairs = Array.from({ length: BATCH }, (_, index) => join(home, String(index)))
  const isMade = await makePairs(pairs)
  if (isMade && directory === home) stock.push(...pairs)
  return isMade
}

function dropStock(): void {
  stock.length = 0
  const unused = directory
  directory = undefined
  if (unused === undefined) return
  const remove = (): void => removeDirectory(unused)
  remove()
  // `mkfifo` may still create files in it.
  refilling?.then(remove, remove)
}

function removeDirectory(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // It is removed when `mkfifo` has ended; otherwise, the next start of a machine in another process removes it.
  }
}

async function makePairs(paths: readonly string[]): Promise<boolean> {
  const names = paths.flatMap((path) => SUFFIXES.map((suffix) => path + suffix))
  return (await runSilently('mkfifo', ['-m', '600', '--', ...names])) === 0
}

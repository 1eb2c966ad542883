/**
 * Measures the peak memory of a process and its descendants on Linux: the sum of their proportional set sizes, in which shared pages
 * are counted once. Samples at intervals, because the kernel records no peak for several processes.
 */
import { readdirSync, readFileSync } from 'node:fs'

const INTERVAL_MS = 250

/** Starts to measure. @returns a function that stops the measurement and returns the peak, MiB */
export function startPeakMemory(pid: number): () => number {
  let peak = 0
  const measure = (): void => {
    peak = Math.max(
      peak,
      tree(pid).reduce((sum, member) => sum + proportionalSize(member), 0),
    )
  }
  const timer = setInterval(measure, INTERVAL_MS)
  return () => {
    clearInterval(timer)
    return peak / 1024
  }
}

function tree(root: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = read(`/proc/${name}/stat`)?.split(') ').at(-1)?.split(' ')[1]
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isInside = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isInside(parents.get(pid)))
  return [...parents.keys()].filter((pid) => isInside(pid))
}

/** KiB. Zero for a process that has ended. */
function proportionalSize(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Processes of a round, found by a variable of their environment. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Environment variable that marks the processes of a round. */
export const MARK = 'COLDBOOT_CHAOS_ROUND'

/** A process. */
export interface ChaosProcess {
  readonly pid: number
  readonly parent: number
  readonly words: readonly string[]
  readonly isMachine: boolean
}

/** Most words of a command line before the path of QEMU: its dynamic loader and its options. */
const WORDS_BEFORE_QEMU = 8
/** Interval of looking for the end of processes, which are not children of this one. Milliseconds. */
const LOOK_AGAIN_MS = 50

/** All processes of a round, zombies excepted. */
export function processesOf(mark: string): readonly ChaosProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => fileOf(pid, 'environ').split('\0').includes(`${MARK}=${mark}`))
    .map((pid) => ({
      pid: Number(pid),
      parent: Number(/^PPid:\s+(\d+)/m.exec(fileOf(pid, 'status'))?.[1]),
      words: fileOf(pid, 'cmdline').split('\0').slice(0, -1),
    }))
    .map((process) => ({ ...process, isMachine: isQemu(process.words) }))
}

/** The QEMU processes of a round. */
export function machinesOf(mark: string): readonly ChaosProcess[] {
  return processesOf(mark).filter(({ isMachine }) => isMachine)
}

/** Waits until no process of a round is left. @returns those left after the time limit */
export async function untilGone(mark: string, limitMs: number): Promise<readonly ChaosProcess[]> {
  const end = performance.now() + limitMs
  for (;;) {
    const left = processesOf(mark)
    if (left.length === 0 || performance.now() > end) return left
    await delay(LOOK_AGAIN_MS)
  }
}

/** Sends a signal to a process that may have ended. @returns whether it was sent */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

function isQemu(words: readonly string[]): boolean {
  return words.slice(0, WORDS_BEFORE_QEMU).some((word) => /^(?:.*\/)?qemu-system-\w+$/.test(word))
}

function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(join('/proc', pid, name), 'utf8')
  } catch {
    // The process has ended, or belongs to another user.
    return ''
  }
}

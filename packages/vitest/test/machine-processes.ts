/** Finds and watches the QEMU processes of a run. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Environment variable that marks a run. Its machines inherit it. */
export const MARK = 'COLDBOOT_TEST_RUN'

/** Largest number of words in a command line before the path of QEMU. */
const WORDS_BEFORE_QEMU = 8

/** A QEMU process. */
export interface MachineProcess {
  readonly parent: number
  readonly commandLine: string
}

/** The QEMU processes of a run with this mark. Linux only. */
export function machinesOf(mark: string): readonly MachineProcess[] {
  return (
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => fileOf(pid, 'environ').split('\0').includes(`${MARK}=${mark}`))
      .map((pid) => ({
        parent: Number(/^PPid:\s+(\d+)/m.exec(fileOf(pid, 'status'))?.[1]),
        words: fileOf(pid, 'cmdline').split('\0'),
      }))
      // The QEMU of a package is an argument of the package's dynamic loader.
      .filter(({ words }) => words.slice(0, WORDS_BEFORE_QEMU).some((word) => /^(?:.*\/)?qemu-system-\w+$/.test(word)))
      .map(({ parent, words }) => ({ parent, commandLine: words.join(' ') }))
  )
}

function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(join('/proc', pid, name), 'utf8')
  } catch {
    // The process has ended, or belongs to another user.
    return ''
  }
}

/** Resolves when a machine's log is not empty. Interrupting earlier would interrupt the start of the machine. */
export async function printing(folder: string): Promise<void> {
  const changes = watch(folder)
  try {
    while (statSync(join(folder, 'console.log')).size === 0) await once(changes, 'change')
  } finally {
    changes.close()
  }
}

/** A FIFO that machines keep open as a character device, to detect their end without polling. */
export class LifeLine implements Disposable {
  /** Path for QEMU: `-chardev file,id=life,path=…`. */
  readonly path: string
  /** Resolves when the first machine runs. */
  readonly begun: Promise<unknown>
  /** Resolves when the last machine has ended. */
  readonly ended: Promise<unknown>
  readonly #folder: string

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'coldboot-life-'))
    this.path = join(this.#folder, 'life')
    execFileSync('mkfifo', [this.path])
    const reader = createReadStream(this.path)
    this.begun = once(reader, 'open')
    this.ended = once(reader.resume(), 'end')
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

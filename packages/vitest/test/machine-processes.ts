/** The machines of a run, seen from outside. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Variable that marks a run; its machines inherit it. */
export const MARK = 'COLDBOOT_TEST_RUN'

/** A QEMU process. */
export interface MachineProcess {
  readonly parent: number
  readonly commandLine: string
}

/** The QEMU processes that descend from a run with this mark. Linux only, as the guest is. */
export function machinesOf(mark: string): readonly MachineProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => fileOf(pid, 'environ').split('\0').includes(`${MARK}=${mark}`))
    .map((pid) => ({
      parent: Number(/^PPid:\s+(\d+)/m.exec(fileOf(pid, 'status'))?.[1]),
      commandLine: fileOf(pid, 'cmdline').split('\0').join(' '),
    }))
    .filter(({ commandLine }) => /^\S*qemu-system/.test(commandLine))
}

function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(join('/proc', pid, name), 'utf8')
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return ''
  }
}

/** Resolves when a machine has printed something, to the log in its folder: before, an interruption ends its start. */
export async function printing(folder: string): Promise<void> {
  const changes = watch(folder)
  try {
    while (statSync(join(folder, 'console.log')).size === 0) await once(changes, 'change')
  } finally {
    changes.close()
  }
}

/** A FIFO that machines hold open as long as they live, as a character device: its end is their end, without polling. */
export class LifeLine implements Disposable {
  /** To give to QEMU: `-chardev file,id=life,path=…`. */
  readonly path: string
  /** Settles when the first machine runs. */
  readonly begun: Promise<unknown>
  /** Settles when the last machine is gone. */
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

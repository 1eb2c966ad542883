/**
 * A shell of this host on a pseudo-terminal, which behaves like one on the serial console of a guest, but is faster.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestEnd } from '../src/guest/command-transport.ts'
import type { ShellConsole } from '../src/guest/shell/shell-listener.ts'

/** Changes each chunk that the shell prints. */
export type Disturbance = (chunk: Buffer) => Buffer

/** A shell and its console. */
export interface TerminalShell extends ShellConsole, AsyncDisposable {
  /** The whole output. */
  readonly text: () => string
  /** Resolves when the shell has ended. */
  readonly over: Promise<GuestEnd>
}

/**
 * @param command such as `bash --norc -i`
 * @param disturb changes the output
 */
export async function terminalShell(command: string, disturb: Disturbance = (chunk) => chunk): Promise<TerminalShell> {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  const own = { TERM: 'vt102', PS1: '$ ', HOME: '/', HISTFILE: '/dev/null', LC_ALL: 'C.UTF-8', TMPDIR: folder }
  const env = { PATH: process.env['PATH'], ...own }
  const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], env })
  const watchers = new Set<(chunk: Uint8Array) => number>()
  let text = ''
  child.stdout.on('data', (printed: Buffer) => {
    const chunk = disturb(printed)
    text += chunk.toString('latin1')
    for (const watcher of watchers) watcher(chunk)
  })
  // Input before the first prompt may be lost.
  await once(child.stdout, 'data')
  const exited = once(child, 'exit')
  return {
    send: (data) => void child.stdin.write(data),
    watch(watcher) {
      watchers.add(watcher)
      return { [Symbol.dispose]: () => void watchers.delete(watcher) }
    },
    text: () => text,
    over: exited.then(() => ({ code: 'COMMAND_LOST', how: 'the shell ended' })),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

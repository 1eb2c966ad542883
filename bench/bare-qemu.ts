/** Starts QEMU with minimal code, as the baseline of the benchmarks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { Duplex } from 'node:stream'

/** The QEMU on PATH, which coldboot then uses too. */
const QEMU = 'qemu-system-x86_64'
process.env['COLDBOOT_QEMU'] = QEMU

/** A running QEMU with its console on descriptor 3 and QMP on 4. */
export interface BareQemu {
  readonly console: Duplex
  /** Sends several QMP commands at once. */
  qmp(...commands: readonly (readonly [command: string, args?: object])[]): void
  /** Resolves at the first QMP message that contains the text. */
  said(text: string): Promise<void>
  /** Resolves when the console has printed the text. */
  printed(text: string): Promise<void>
  end(): Promise<void>
}

/** @param stateFile file to inherit as descriptor 5 */
export function bareQemu(args: readonly string[], stateFile?: string): BareQemu {
  const state = stateFile === undefined ? 'ignore' : openSync(stateFile, 'r')
  const wiring = [
    ...['-chardev', 'socket,id=con,fd=3', '-serial', 'chardev:con'],
    ...['-chardev', 'socket,id=qmp,fd=4', '-mon', 'chardev=qmp,mode=control'],
  ]
  const child = spawn(QEMU, [...wiring, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe', state],
    // As coldboot does, because it makes QEMU faster.
    env: { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
  })
  if (typeof state === 'number') closeSync(state)
  const [console, control] = [child.stdio[3] as Duplex, child.stdio[4] as Duplex]
  const watch = [console, control].map((stream) => {
    let text = ''
    const waiting = new Set<{ readonly wanted: string; done(): void }>()
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      for (const wait of waiting) if (text.includes(wait.wanted)) wait.done()
    })
    return (wanted: string) =>
      new Promise<void>((resolve) => {
        if (text.includes(wanted)) resolve()
        else waiting.add({ wanted, done: resolve })
      })
  })
  return {
    console,
    printed: watch[0] as (text: string) => Promise<void>,
    said: watch[1] as (text: string) => Promise<void>,
    qmp(...commands) {
      const lines = commands.map(([execute, args = {}]) => JSON.stringify({ execute, arguments: args }))
      control.write(`${lines.join('\n')}\n`)
    },
    async end() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arbitraryArgs } from '@coldboot/core'

/**
 * Keeps a FIFO in the folder of the project open, so that the end of the machine can be detected. A relative path, so that all
 * runs share a template.
 */
export const life = arbitraryArgs('-chardev', 'file,id=life,path=life')

/** Start time of a process, in clock ticks since the start of the host. */
function startTicks(pid: number | 'self'): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19])
}

/** Milliseconds since the start of the host. */
export function hostUptime(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
}

/** Writes whether a machine was started before its test file. @param file its name @param loaded {@link hostUptime} */
export function noteMachine(file: string, pid: number, loaded: number): void {
  mkdirSync('machines', { recursive: true })
  const isOlder = startTicks(pid) * 10 < loaded
  writeFileSync(`machines/${file}`, isOlder ? 'started before the file' : 'started by the file')
}

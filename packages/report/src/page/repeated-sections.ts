/** Finds the sections of an error that the machines below it also show. */
import { MACHINE_FILE } from '../resume-command.ts'
import type { MachineFiles } from './machine-files.ts'

/** @returns whether a section is repeated, by its title */
export function repeatedSections(machines: readonly MachineFiles[]): (title: string) => boolean {
  if (machines.length === 0) return () => false
  const shown = [
    /^Log\b/,
    ...(machines.every(({ commandLine }) => commandLine !== undefined) ? [/^Command line\b/] : []),
    ...(machines.every(({ lines }) => lines.length > 0) ? [/^End of the console\b/, /^Before that$/] : []),
    ...(machines.some(({ files }) => files.some(({ name }) => name === MACHINE_FILE))
      ? [/^Resume (?:this machine$|")/]
      : []),
  ]
  return (title) => shown.some((pattern) => pattern.test(title))
}

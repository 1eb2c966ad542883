/** Selects how to show the sections of an error, some of which repeat content of its machines. */
import { MACHINE_FILE } from '../resume-command.ts'
import type { MachineFiles } from './machine-files.ts'

/** `left out` if the machines show the same text, `folded` if the text is a part of their consoles. */
export type SectionUse = 'shown' | 'folded' | 'left out'

/** @returns the use of a section, by its title */
export function sectionUse(machines: readonly MachineFiles[]): (title: string) => SectionUse {
  if (machines.length === 0) return () => 'shown'
  const hasConsoles = machines.every(({ lines }) => lines.length > 0)
  const leftOut = [
    /^Log\b/,
    ...(machines.every(({ commandLine }) => commandLine !== undefined) ? [/^Command line\b/] : []),
    ...(hasConsoles ? [/^End of the console\b/, /^Before that$/] : []),
    ...(machines.some(({ files }) => files.some(({ name }) => name === MACHINE_FILE))
      ? [/^Resume (?:this machine$|")/]
      : []),
  ]
  return (title) => {
    if (leftOut.some((pattern) => pattern.test(title))) return 'left out'
    return hasConsoles && title === 'What the guest said' ? 'folded' : 'shown'
  }
}

/** Sections of an error about a machine: the end of its console, its command line, the path of its log. */
import { lastLines } from './last-lines.ts'
import { shortCommandLine } from './short-command-line.ts'

/** The parts of a machine that the sections contain. */
export interface ShownMachine {
  readonly name: string
  readonly output: string
  readonly commandLine: readonly string[]
  /** Path of the log, if the log outlives the machine. */
  readonly keptLog: string | undefined
}

/**
 * Sections for the message of an error, by title.
 * @param named whether the titles contain the name of the machine, for an error about several machines
 */
export function machineSections(machine: ShownMachine, named = false): Readonly<Record<string, string | undefined>> {
  const of = named ? ` of "${machine.name}"` : ''
  return {
    [`End of the console${of}`]: lastLines(machine.output) || '(nothing was printed)',
    [`Command line${of}`]: shortCommandLine(machine.commandLine),
    [`Log${of}`]: machine.keptLog,
  }
}

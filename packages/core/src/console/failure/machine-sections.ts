/** Sections of an error message about a machine: the end of its console, its command line, the path of its log. */
import { lastLines } from './last-lines.ts'
import { shortCommandLine } from './short-command-line.ts'

/** The parts of a machine that the sections show. */
export interface ShownMachine {
  readonly name: string
  readonly output: string
  readonly commandLine: readonly string[]
  /** Path of its log, if the log outlives the machine. */
  readonly keptLog: string | undefined
}

/**
 * Sections for an error's message, by title.
 * @param named whether the titles name the machine, because there are several
 */
export function machineSections(machine: ShownMachine, named = false): Readonly<Record<string, string | undefined>> {
  const of = named ? ` of "${machine.name}"` : ''
  return {
    [`End of the console${of}`]: lastLines(machine.output) || '(nothing was printed)',
    [`Command line${of}`]: shortCommandLine(machine.commandLine),
    [`Log${of}`]: machine.keptLog,
  }
}

/** What every failure says about a machine: the end of its console, how to start it again, where the whole log is. */
import { lastLines } from './expect-failure.ts'

/** A machine, as far as it is shown. */
export interface ShownMachine {
  readonly name: string
  readonly output: string
  readonly commandLineQuoted: string
  /** Path of its log, where that outlives the machine. */
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
    [`Command line${of}`]: machine.commandLineQuoted,
    [`Log${of}`]: machine.keptLog,
  }
}

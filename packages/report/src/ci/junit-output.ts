/** Describes the machines of a failed test for the output elements of a JUnit report. */
import { existsSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { consoleEnd } from './console-end.ts'

/** Texts of the two elements. Empty without machines. */
export interface JUnitOutput {
  /** For `system-out`: a line `[[ATTACHMENT|path]]` for each file. GitLab and Jenkins link to them. */
  readonly systemOut: string
  /** For `system-err`: the end of each console. */
  readonly systemErr: string
}

/** Files to attach, the most useful first, because GitLab shows one of them. */
const ATTACHED = ['screen.png', 'console.txt', 'console.log', 'timeline.jsonl', 'command-line.sh', 'network.pcapng']

const LINES = 40

/**
 * @param machines the folders of the machines
 * @param base the folder of the checkout; paths are relative to it
 */
export function junitOutput(machines: readonly string[], base: string): JUnitOutput {
  const files = machines.flatMap((directory) => ATTACHED.map((name) => join(directory, name))).filter(existsSync)
  const paths = files.map((file) => relative(base, file))
  const ends = machines.map((directory) => {
    return `End of the console of "${basename(directory)}":\n${consoleEnd(directory, LINES) || '(nothing was printed)'}\n`
  })
  return { systemOut: paths.map((path) => `[[ATTACHMENT|${path}]]\n`).join(''), systemErr: ends.join('\n') }
}

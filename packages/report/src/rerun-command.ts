/** The command that runs one test again. */
import { shellWords } from './shell-words.ts'

/**
 * Formats the command for a shell in the root of the project.
 * @param runner the command of the test runner for the file of the test
 * @param name the name of the test after those of its groups, as the option `-t` of the test runner matches it
 */
export function rerunCommand(runner: readonly string[], name: string): string {
  const pattern = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  return shellWords([...runner, '-t', `^${pattern}$`])
}

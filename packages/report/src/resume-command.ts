/** The command that resumes a saved machine. */
import { relative } from 'node:path'
import { shellWords } from './shell-words.ts'

/** Name of a saved machine among the files of an attempt. */
export const MACHINE_FILE = 'machine.coldboot'

/** Formats the command for a shell in the folder `root`. */
export function resumeCommand(file: string, root: string): string {
  return shellWords(['npx', 'coldboot', 'resume', relative(root, file)])
}

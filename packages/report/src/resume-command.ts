/** The command that resumes a saved machine. */
import { relative } from 'node:path'

/** Name of a saved machine among the files of an attempt. */
export const MACHINE_FILE = 'machine.coldboot'

/** Formats the command for a shell in the folder `root`. */
export function resumeCommand(file: string, root: string): string {
  const path = relative(root, file)
  return `npx coldboot resume ${/^[\w./@+=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`}`
}

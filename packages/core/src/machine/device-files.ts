/** Lists the files of the devices in the private directory of a machine. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Paths of the files and folders, except the console log and sockets, which a copy of the machine does not get. */
export async function deviceFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries
    .filter((entry) => !entry.name.startsWith('console.log') && !entry.isSocket())
    .map(({ name }) => join(directory, name))
}

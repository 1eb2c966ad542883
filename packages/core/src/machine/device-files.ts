/** Lists the files of the devices in the private directory of a machine. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSIENT } from '../devices/helpers/transient-file.ts'

const OMITTED = ['console.log', TRANSIENT]

/** Paths of the files and folders, except those that a copy of the machine does not get: console log, sockets, pictures. */
export async function deviceFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries
    .filter((entry) => !OMITTED.some((prefix) => entry.name.startsWith(prefix)) && !entry.isSocket())
    .map(({ name }) => join(directory, name))
}

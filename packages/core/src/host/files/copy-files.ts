/** Copies the files of a saved machine. */
import { constants } from 'node:fs'
import { cp } from 'node:fs/promises'

/** Copies the content of a folder. Shares blocks (reflinks) if the file system supports it. Existing files are kept. */
export async function copyFiles(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, force: false, mode: constants.COPYFILE_FICLONE })
}

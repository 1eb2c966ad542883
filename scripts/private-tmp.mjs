/** Gives a run of the tests a temporary directory of its own, and takes it away: what a test forgets is not left over. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @returns what ends it */
export default async function privateTmp() {
  const folder = await mkdtemp(join(tmpdir(), 'coldboot-run-'))
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  return async () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    await rm(folder, { recursive: true, force: true })
  }
}

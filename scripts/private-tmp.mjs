/** Global setup of Vitest that creates a temporary directory for the run, and removes it with all leftovers of tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** @returns the teardown */
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

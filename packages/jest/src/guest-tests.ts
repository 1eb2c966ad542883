/**
 * Passes the results of tests inside the guests from the worker to the reporter in a file, because Jest only passes errors.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempted, type GuestTestRecord } from '@coldboot/report'

const FILE = 'guest-tests.json'

/** @param directory folder of the attempt, which must exist */
export function writeGuestTests(directory: string, tests: readonly GuestTestRecord[]): void {
  if (tests.length === 0) return
  const file = join(directory, FILE)
  // The result of the test does not depend on its files.
  attempted(file, () => writeFileSync(file, `${JSON.stringify(tests, undefined, 2)}\n`, { mode: 0o600 }))
}

/** Returns an empty list if there are no results. */
export function readGuestTests(directory: string): readonly GuestTestRecord[] {
  try {
    return JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as GuestTestRecord[]
  } catch {
    return []
  }
}

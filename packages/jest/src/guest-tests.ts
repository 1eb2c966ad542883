/**
 * Tests that ran inside the guests of an attempt, from the worker to the reporter: Jest carries nothing but errors there, so
 * they lie beside the machines' folders.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestTestRecord } from '@coldboot/report'

const FILE = 'guest-tests.json'

/** @param directory that of the attempt, which exists */
export function writeGuestTests(directory: string, tests: readonly GuestTestRecord[]): void {
  if (tests.length > 0)
    writeFileSync(join(directory, FILE), `${JSON.stringify(tests, undefined, 2)}\n`, { mode: 0o600 })
}

/** Empty when there are none. */
export function readGuestTests(directory: string): readonly GuestTestRecord[] {
  try {
    return JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as GuestTestRecord[]
  } catch {
    return []
  }
}

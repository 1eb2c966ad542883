/** Keeps the journal of a guest with systemd at the end of a test. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { VM } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'
import type { Redactor } from './redactor.ts'

const FILE = 'journal.txt'

/** Writes `journal.txt`, if the guest has one. Never rejects. @returns missing file: name → reason */
export async function keepJournal(
  vm: VM,
  directory: string,
  { maxBytes, redactor }: { readonly maxBytes: number; readonly redactor: Redactor },
): Promise<Readonly<Record<string, string>>> {
  try {
    const journal = await vm.readJournal(maxBytes)
    if (journal) writeFileSync(join(directory, FILE), redactor.text(journal), { mode: 0o600 })
    return {}
  } catch (error) {
    return { [FILE]: `could not be read: ${messageOf(error)}` }
  }
}

/**
 * Runs work that may fail without failing a test, for example because the disk is full. Turns an error into a warning.
 *
 * @param what subject of the warning, for example `The page of the run`
 * @returns whether the work succeeded
 */
import { messageOf } from '@coldboot/core/internal'
export function attempted(what: string, work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    const why = messageOf(error)
    process.emitWarning(`${what} could not be written: ${why}`, 'ColdbootWarning')
    return false
  }
}

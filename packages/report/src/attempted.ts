/** Work that no test depends on: where the disk is full or may not be written to, a run loses a file, and not its report. */

/**
 * Runs it; what it throws becomes a warning.
 *
 * @param what the subject of the warning: `The page of the run`
 * @returns whether it was done
 */
export function attempted(what: string, work: () => void): boolean {
  try {
    work()
    return true
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.emitWarning(`${what} could not be written: ${why}`, 'ColdbootWarning')
    return false
  }
}

// @ts-check
/** Prints the last line of a test run, `N passed, N failed, N skipped`, from the JSON report of Vitest. */
import { readFileSync, rmSync } from 'node:fs'

/**
 * Runs Vitest and prints the last line. A run that did not start, was interrupted, or failed outside of tests counts as one
 * failure.
 * @param {string} file path of the JSON report
 * @param {() => Promise<number>} work resolves to the exit code of Vitest
 * @returns {Promise<number>} the exit code, which is not 0 if anything failed
 */
export async function summarize(file, work) {
  // Removes the report of an earlier run.
  rmSync(file, { force: true })
  const code = await work()
  const { passed, failed, skipped } = count(readResults(file), code)
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed > 0 ? code || 1 : code
}

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 * @param {readonly FileResult[] | undefined} files results by test file; undefined without a report
 * @param {number} code exit code of Vitest
 */
export function count(files, code) {
  const tests = (files ?? []).flatMap((file) => file.assertionResults.map((test) => test.status))
  const passed = tests.filter((status) => status === 'passed').length
  // A file that cannot be loaded fails without a failed test.
  const broken = (files ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = tests.filter((status) => status === 'failed').length + broken
  const isFailure = failed === 0 && (code !== 0 || files === undefined)
  return { passed, failed: isFailure ? 1 : failed, skipped: tests.length - passed - (failed - broken) }
}

/** @param {string} file @returns {FileResult[] | undefined} */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults
  } catch {
    return undefined
  }
}

// @ts-check
/** The last line of a test run, `N passed, N failed, N skipped`, counted from Vitest's own result in JSON. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './setup.mjs'

/** Where Vitest writes its result, relative to the workspace. */
export const RESULTS = join('.vitest', 'results.json')

/** Removes the result of an earlier run, so that it can never be taken for that of this one. */
export function forgetResults() {
  rmSync(join(ROOT, RESULTS), { force: true })
}

/**
 * Prints the last line. A run that could not be started, was interrupted, or failed outside of any test counts as one failure.
 * @param {number} code exit code of Vitest
 * @returns {number} the exit code of the whole: not 0 when anything failed
 */
export function summarize(code) {
  const { passed, failed, skipped } = count(readResults(), code)
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed > 0 ? code || 1 : code
}

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 * @param {readonly FileResult[] | undefined} files one a test file; undefined: there is no result
 * @param {number} code exit code of Vitest
 */
export function count(files, code) {
  const tests = (files ?? []).flatMap((file) => file.assertionResults.map((test) => test.status))
  const passed = tests.filter((status) => status === 'passed').length
  // A file that cannot be loaded has failed without a failed test.
  const broken = (files ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = tests.filter((status) => status === 'failed').length + broken
  const isFailure = failed === 0 && (code !== 0 || files === undefined)
  return { passed, failed: isFailure ? 1 : failed, skipped: tests.length - passed - (failed - broken) }
}

/** @returns {FileResult[] | undefined} */
function readResults() {
  try {
    return JSON.parse(readFileSync(join(ROOT, RESULTS), 'utf8')).testResults
  } catch {
    return undefined
  }
}

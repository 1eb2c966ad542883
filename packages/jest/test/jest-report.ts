/** Replaces the parts of a Jest report that differ between runs and hosts, so that reports can be compared. */
import { normalReport } from '../../vitest/test/normal-report.ts'

/** @param root folder of the project */
export function jestReport(output: string, root: string): string {
  // Jest indents errors by four spaces.
  const unindented = output.replace(/^ {4}(?! *[✓✕])/gm, '')
  return (
    normalReport(unindented, root)
      .replace(/^((?:FAIL|PASS) .*?) \([\d.]+ m?s\)$/gm, '$1')
      .replace(/^( *[✓✕].*?) \(\d+ ms\)$/gm, '$1')
      .replace(/^(Time: +).*$/m, '$1<time>')
      // The path of packages depends on the checkout.
      .replace(/\(\S*\/node_modules\/(\S+?):\d+:\d+\)/g, '(node_modules/$1)')
  )
}

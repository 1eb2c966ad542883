/** Takes out of Jest's report what differs from run to run and from host to host, so that the rest can be compared. */
import { normalReport } from '../../vitest/test/normal-report.ts'

/** @param root the project's folder */
export function jestReport(output: string, root: string): string {
  // Jest indents an error by four blanks.
  const unindented = output.replace(/^ {4}(?! *[✓✕])/gm, '')
  return (
    normalReport(unindented, root)
      .replace(/^((?:FAIL|PASS) .*?) \([\d.]+ m?s\)$/gm, '$1')
      .replace(/^( *[✓✕].*?) \(\d+ ms\)$/gm, '$1')
      .replace(/^(Time: +).*$/m, '$1<time>')
      // Where packages lie differs from checkout to checkout.
      .replace(/\(\S*\/node_modules\/(\S+?):\d+:\d+\)/g, '(node_modules/$1)')
  )
}

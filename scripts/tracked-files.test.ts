import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('no file that .gitignore names is in the repository', () => {
  expect(execFileSync('git', ['ls-files', '--cached', '--ignored', '--exclude-standard'], { encoding: 'utf8' })).toBe(
    '',
  )
})

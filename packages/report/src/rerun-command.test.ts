import { expect, test } from 'vitest'
import { rerunCommand } from './rerun-command.ts'

test('matches exactly the name of the test, as one word of the shell', () => {
  const name = "a (group) > it's $5.00 [a|b] \\ /x/"
  const command = rerunCommand(['npx', 'vitest', 'run', "it's.test.ts"], name)
  expect(command).toBe(
    `npx vitest run 'it'\\''s.test.ts' -t '^a \\(group\\) > it'\\''s \\$5\\.00 \\[a\\|b\\] \\\\ \\/x\\/$'`,
  )
  const [, pattern = ''] = /-t '(.*)'$/.exec(command) ?? []
  expect(new RegExp(pattern.replaceAll("'\\''", "'")).test(name)).toBe(true)
})

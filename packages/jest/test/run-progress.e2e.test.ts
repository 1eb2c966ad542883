import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { runInTerminal } from '../../vitest/test/terminal-run.ts'
import { terminalScreen } from '../../vitest/test/terminal-screen.ts'
import { jestProject } from './jest-project.ts'

const BOOT = 'coldboot: Booting "vm" once, to start tests from its saved state'

function removeTemplate(output: string): void {
  const [, memory = ''] = /template (\S+) \d/.exec(output) ?? []
  expect(memory).toContain('/templates/')
  rmSync(dirname(memory), { recursive: true })
}

test('a terminal shows the boot of a template only while it lasts', async () => {
  using project = jestProject('first-run', false)
  const env = { COLDBOOT_TEST_KEY: project.root }
  const run = runInTerminal(project.root, [], env, 'node_modules/jest/bin/jest.js')
  await run.shows(BOOT)
  const { screen, exitCode } = await run.ended
  removeTemplate(screen)
  expect(exitCode).toBe(0)
  const left = terminalScreen(screen).join('\n')
  expect(left).toContain('1 passed')
  expect(left).not.toContain('coldboot:')
})

test('a log contains the start and the end of the boot of a template', async () => {
  using project = jestProject('first-run', false)
  const { output, exitCode } = await project.run([], { COLDBOOT_TEST_KEY: project.root })
  removeTemplate(output)
  expect(output).toMatch(new RegExp(`^${BOOT} \\(\\d.*\\)\n(?:.*\n)*${BOOT}: done after \\d`, 'm'))
  expect(exitCode).toBe(0)
})

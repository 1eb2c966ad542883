import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { installProject } from './installed-project.ts'
import { runInTerminal } from './terminal-run.ts'
import { terminalScreen } from './terminal-screen.ts'

/** Arguments that select the passing test. */
const ONE_TEST = ['watched.test', '-t', 'shows']

const BOOT = 'coldboot: Booting "vm" once, to start tests from its saved state'

function removeTemplate(output: string): void {
  const [, memory = ''] = /template (\S+) \d/.exec(output) ?? []
  expect(memory).toContain('/templates/')
  rmSync(dirname(memory), { recursive: true })
}

test('a terminal shows the boot of a template only while it lasts', async () => {
  using project = installProject('watched')
  const run = runInTerminal(project.root, ['run', ...ONE_TEST], { COLDBOOT_TEST_KEY: project.root })
  await run.shows(BOOT)
  const { screen, exitCode } = await run.ended
  removeTemplate(screen)
  expect(exitCode).toBe(0)
  const left = terminalScreen(screen).join('\n')
  expect(left).toContain('1 passed')
  expect(left).not.toContain('coldboot:')
})

test('a log contains the start and the end of the boot of a template, and nothing if the template exists', async () => {
  using project = installProject('watched')
  const first = await project.run(ONE_TEST, { COLDBOOT_TEST_KEY: project.root })
  expect(first.output).toMatch(new RegExp(`^${BOOT} \\(\\d.*\\)\n(?:.*\n)*${BOOT}: done after \\d`, 'm'))
  const second = await project.run(ONE_TEST, { COLDBOOT_TEST_KEY: project.root })
  removeTemplate(first.output)
  expect(second.output).not.toContain('coldboot:')
  expect([first.exitCode, second.exitCode]).toEqual([0, 0])
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from '../../vitest/test/before-first-look.ts'
import type { InstalledProject, RunnerRun } from '../../vitest/test/installed-project.ts'
import { jestProject } from './jest-project.ts'

const PAGE = join('.jest', 'coldboot', 'index.html')

/** The texts of the elements that match the pattern. */
function textsOf(html: string, pattern: RegExp): readonly string[] {
  return [...html.matchAll(pattern)].map(([, text = '']) => text.replace(/<[^>]*>/g, '').trim())
}

describe('a run in CI', () => {
  let project: InstalledProject
  let run: RunnerRun
  const read = (path: string): string => readFileSync(join(project.root, path), 'utf8')

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = jestProject('reporting', false)
    run = await project.run(['--maxWorkers=2'], { GITHUB_STEP_SUMMARY: join(project.root, 'summary.md') })
  })
  afterAll(() => project[Symbol.dispose]())

  test('prints the path of the page at its end', () => {
    expect(run.exitCode).toBe(1)
    expect(run.output).toContain(`\nConsoles and files of the machines: ${PAGE}\n`)
  })

  test('writes a page with failed, interrupted, flaky and other tests', () => {
    expect(textsOf(read(PAGE), /<summary><h3>(.*?)<\/h3>/gs)).toMatchInlineSnapshot(`
      [
        "waits for what never comes",
        "comes right at the second attempt",
        "fails with the tests of its guest",
        "dies",
      ]
    `)
  })

  test('shows the errors, source lines and machines of each attempt on the page', () => {
    const html = read(PAGE)
    expect(textsOf(html, /<p class="headline">(.*?)<\/p>/gs)).toEqual([
      expect.stringMatching(/^Error A jest worker process .* was terminated by another process: signal=SIGKILL/),
      expect.stringContaining('ExpectError &quot;vm&quot; did not print &quot;never&quot; within'),
      expect.stringMatching(/^GuestTestsError 1 of 2 tests of .* failed$/),
    ])
    expect(textsOf(html, /<mark>(.*?)<\/mark>/gs)[0]).toMatch(/❯ 14 {2}.*await vm\(\)\.expect\('never'/)
    expect(textsOf(html, /<h4>(<span class="noun">Machine.*?)<\/h4>/gs)).toMatchInlineSnapshot(`
      [
        "Machine vm",
        "Machine vm",
        "Machine vm",
        "Machine vm",
        "Machine orphan",
      ]
    `)
    expect(html).toContain('href="./console.test.js/comes-right-at-the-second-attempt/vm/console.log"')
    expect(html).not.toContain('<img src=x')
  })

  test('shows the tests inside a guest', () => {
    expect(read(PAGE)).toMatch(/divides/)
    const tests: unknown = JSON.parse(
      read('.jest/coldboot/guest.test.js/fails-with-the-tests-of-its-guest/guest-tests.json'),
    )
    expect(tests).toMatchObject([
      { machine: 'vm', path: ['adds'], status: 'passed' },
      { machine: 'vm', path: ['divides'], status: 'failed' },
    ])
  })

  test('removes secrets from files and reports', () => {
    const log = read('.jest/coldboot/guest.test.js/fails-with-the-tests-of-its-guest/vm/console.log')
    expect(log).toContain('[redacted]')
    expect([log, run.output, read(PAGE)].filter((text) => text.includes('s3cret'))).toEqual([])
  })

  test('completes the files of a killed worker', () => {
    const meta: unknown = JSON.parse(read('.jest/coldboot/dying.test.js/dies/orphan/meta.json'))
    expect(meta).toMatchObject({ name: 'orphan', errors: ['The process that ran the test ended before the test did.'] })
    expect(read('.jest/coldboot/dying.test.js/dies/orphan/console.log')).toContain('last-breath')
  })

  test('adds the consoles to the summary of the job', () => {
    const summary = read('summary.md')
    expect(textsOf(summary, /<summary>(.*?)<\/summary>/g)).toEqual([
      'console.test.js › waits for what never comes (2 attempts)',
      'guest.test.js › fails with the tests of its guest',
    ])
    expect(summary).toContain(`\`${PAGE}\``)
  })

  test('removes the page if the next run has nothing to show', async () => {
    const green = await project.run(['console', '-t', 'greets'])
    expect(green.exitCode).toBe(0)
    expect(existsSync(join(project.root, PAGE))).toBe(false)
  })
})

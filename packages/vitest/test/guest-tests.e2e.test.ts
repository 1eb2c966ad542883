import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { PAGE, textsOf } from './page-text.ts'

interface JsonReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string
      readonly meta: { readonly coldboot?: { readonly guestTests?: readonly Record<string, unknown>[] } }
    }[]
  }[]
}

describe('tests inside a guest', () => {
  let project: InstalledProject
  let run: RunnerRun
  let json: JsonReport

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('guest-tests')
    run = await project.run(['--reporter=default', '--reporter=json', '--outputFile.json=report.json'])
    json = JSON.parse(readFileSync(join(project.root, 'report.json'), 'utf8')) as JsonReport
  })
  afterAll(() => project[Symbol.dispose]())

  const metaOf = (title: string): readonly Record<string, unknown>[] | undefined =>
    json.testResults[0]?.assertionResults.find((result) => result.title === title)?.meta.coldboot?.guestTests

  /** The section of a test in the output of the default reporter. */
  function sectionOf(title: string): string {
    const [, section = ''] = run.output.split(` FAIL  guest.test.ts > ${title}\n`)
    return section.split('⎯⎯⎯⎯')[0] ?? ''
  }

  test('fail the test that ran them, each with its output', () => {
    expect(run.exitCode).toBe(1)
    const section = sectionOf('fails with them')
    expect(section).toContain('GuestTestsError: 1 of 4 tests of `cat /tmp/report` in "vm" failed')
    expect(section).toMatch(
      /net > connect:\n {2}# connect: EXPECTATION FAILED at net\.c:7\n {2}# connect: expected 1, got 0/,
    )
    expect(section).toMatch(/guest tests\n.*2 passed, 1 failed, 1 skipped: cat \/tmp\/report in vm\n/)
    expect(section).not.toContain('failed in the guest')
  })

  test('are shown beside the error of the test with `check: false`', () => {
    expect(sectionOf('looks at them itself')).toMatch(
      /failed in the guest\n.*net > connect\n +# connect: EXPECTATION FAILED at net\.c:7\n +# connect: expected 1, got 0\n/,
    )
  })

  test('are in the metadata of each test, for reporters', () => {
    const vm = { machine: 'vm', repeat: 0, retry: 0 }
    expect(metaOf("passes with its guest's tests")).toMatchObject([
      { path: ['adds'], status: 'passed', ...vm },
      { path: ['divides'], status: 'passed', ...vm },
    ])
    expect(metaOf('fails with them')).toMatchObject([
      { path: ['net', 'bind'], status: 'passed', ...vm },
      { path: ['net', 'connect'], status: 'failed', log: expect.stringContaining('expected 1, got 0'), ...vm },
      { path: ['net', 'listen'], status: 'skipped', message: 'no hardware', ...vm },
      { path: ['disk'], status: 'passed', ...vm },
    ])
    expect(metaOf('shows again what fails')).toMatchObject([
      { path: ['flaky'], status: 'failed', ...vm },
      { path: ['flaky'], status: 'passed', ...vm, retry: 1 },
    ])
  })

  test('are shown on the page of the run, with the attempt that ran them', () => {
    const page = readFileSync(join(project.root, PAGE), 'utf8')
    const sections = page.split('class="guest-tests"').slice(1)
    expect(sections).toHaveLength(4)
    expect(sections[0]).toContain('expected 1, got 0')
    expect(textsOf(page, /<h4>(<span class="noun">Tests inside.*?)<\/h4>/gs).length).toBeGreaterThan(0)
    expect(textsOf(page, /<li class="failed">(<span class="state">.*?)<\/li>/gs).join('\n')).toContain('flaky')
  })
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { headings, PAGE, textsOf } from './page-text.ts'

describe('a run in CI', () => {
  let project: InstalledProject
  let run: RunnerRun
  const read = (path: string): string => readFileSync(join(project.root, path), 'utf8')

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('reporting')
    const names = ['default', 'junit', 'github-actions', '@coldboot/vitest/reporter']
    const reporters = names.map((name) => `--reporter=${name}`)
    run = await project.run([...reporters, '--outputFile.junit=junit.xml'], {
      GITHUB_ACTIONS: 'true',
      GITHUB_STEP_SUMMARY: join(project.root, 'summary.md'),
    })
  })
  afterAll(() => project[Symbol.dispose]())

  test('prints the path of the page at its end', () => {
    expect(run.exitCode).toBe(1)
    expect(run.output).toContain(`\nConsoles and files of the machines: ${PAGE}\n`)
  })

  test('does not add the reporter twice if the configuration contains it', () => {
    expect(run.output.split(PAGE)).toHaveLength(2)
  })

  test('writes a page with the tests of each file: failed tests, then flaky tests, then a list of the others', () => {
    const html = read(PAGE)
    expect(textsOf(html, /<summary>(<h2>.*?)<\/summary>/gs)).toEqual([
      'console.test.ts 1 failed, 1 flaky, 1 passed',
      'two-machines.test.ts 2 failed, 1 skipped',
    ])
    expect(headings(html)).toEqual([
      'waits for what never comes',
      'comes right at the second attempt',
      'two machines › do not agree',
      'fails without a machine',
    ])
  })

  test('shows the errors, source lines and machines of each attempt on the page', () => {
    const html = read(PAGE)
    expect(textsOf(html, /<p class="headline">(.*?)<\/p>/gs)).toEqual([
      expect.stringMatching(/^ExpectError "vm" did not print "never" within/),
      expect.stringContaining('AssertionError expected +0 to be 1'),
      expect.stringContaining("AssertionError expected 'side-1' to be 'side-2'"),
      expect.stringContaining('AssertionError expected { answer: 42 } to deeply equal'),
    ])
    expect(textsOf(html, /<mark>(.*?)<\/mark>/gs)[0]).toMatch(/❯ 12 {2}.*await vm\.expect\('never'/)
    expect(textsOf(html, /<h4>(<span class="noun">Machine.*?)<\/h4>/gs)).toEqual([
      'Machine vm',
      'Machine vm',
      'Machine left',
      'Machine right',
    ])
    expect(html).toContain('href="./console.test.ts/comes-right-at-the-second-attempt/vm/console.log"')
    expect(html).toContain('&lt;img src=x onerror=alert(1)>')
    expect(html).not.toContain('<img src=x')
  })

  test('annotates the failing line with the message, once', () => {
    const annotations = run.output.split('\n').filter((line) => line.startsWith('::error '))
    expect(annotations.map((line) => /file=.*?::/.exec(line)?.[0].replace(`${project.root}/`, ''))).toEqual([
      'file=console.test.ts,title=console.test.ts > waits for what never comes,line=12,column=12::',
      'file=two-machines.test.ts,title=two-machines.test.ts > two machines > do not agree,line=9,column=28::',
      'file=two-machines.test.ts,title=two-machines.test.ts > fails without a machine,line=16,column=26::',
    ])
    const [first = ''] = annotations
    expect(first).toContain('End of the console:%0A')
    expect(first.split('did not print "never"')).toHaveLength(2)
  })

  test('adds the consoles to the summary of the job, always as code', () => {
    const summary = read('summary.md')
    expect(summary).toContain('## Vitest Test Report')
    const own = summary.slice(summary.indexOf('### Machines of failed tests'))
    expect(textsOf(own, /<summary>(.*?)<\/summary>/g)).toEqual([
      'console.test.ts › waits for what never comes',
      'two-machines.test.ts › two machines › do not agree',
    ])
    const blocks = [...own.matchAll(/^(`{3,})text\n(.*?)\n\1$/gms)].map(([, , text]) => text)
    expect(blocks).toEqual([
      expect.stringContaining('did not print "never"'),
      expect.stringMatching(/~~~\n[\s\S]*\n````\n[\s\S]*<\/summary> & \*bold\*/),
      expect.stringContaining('side-1'),
      expect.stringContaining('side-1'),
      expect.stringContaining('side-2'),
    ])
    expect(own).toContain(`\`${PAGE}\``)
  })

  test('adds the consoles to the JUnit report, with files as attachments', () => {
    const xml = read('junit.xml')
    const [failed = '', ...others] = [...xml.matchAll(/<testcase .*?<\/testcase>/gs)]
      .map(([text]) => text)
      .filter((text) => text.includes('<failure'))
    const [, error = ''] = /<system-err>(.*?)<\/system-err>/s.exec(failed) ?? []
    expect(error).toContain('End of the console of &quot;vm&quot;:\n')
    expect(error).toContain('&lt;/summary&gt; &amp; *bold*')
    const paths = [...xml.matchAll(/^\[\[ATTACHMENT\|(.*)\]\]$/gm)].map(([, path = '']) => path)
    expect(paths).toContain('.vitest/coldboot/console.test.ts/waits-for-what-never-comes/vm/console.log')
    expect(paths).toContain('.vitest/coldboot/two-machines.test.ts/two-machines--do-not-agree/right/console.log')
    expect(paths.filter((path) => !existsSync(join(project.root, path)))).toEqual([])
    expect(others.map((text) => text.includes('<system-err>'))).toEqual([true, false])
    // The terminal output already contains it.
    expect(run.output).not.toContain('End of the console of "vm":')
  })

  test('shows a command that runs only one test again', async () => {
    const commands = textsOf(read(PAGE), /<code class="rerun">(.*?)<\/code>/gs)
    expect(commands[2]).toBe("npx vitest run two-machines.test.ts -t '^two machines > do not agree$'")
    expect((await project.shell(commands[2] ?? '')).output).toMatch(/Tests +1 failed \| 2 skipped \(3\)/)
  })

  test('removes the page if the next run has nothing to show, and ignores files of tests that did not run', async () => {
    const green = await project.run(['-t', 'greets'])
    expect(green.exitCode).toBe(0)
    expect(existsSync(join(project.root, PAGE))).toBe(false)
    expect(green.output).not.toContain(PAGE)
  })
})

test('writes no page with `report: false`, unless the reporter is configured', async () => {
  using project = installProject('reporting')
  const args = ['--config=no-page.config.ts', 'two-machines', '-t', 'fails without']
  expect((await project.run(args)).exitCode).toBe(1)
  expect(existsSync(join(project.root, PAGE))).toBe(false)
  const named = await project.run([...args, '--reporter=default', '--reporter=@coldboot/vitest/reporter'])
  expect(named.output.split(PAGE)).toHaveLength(2)
  expect(headings(readFileSync(join(project.root, PAGE), 'utf8'))).toContain('fails without a machine')
})

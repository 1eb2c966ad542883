import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'

const PAGE = join('.vitest', 'coldboot', 'index.html')

/** The text of each element of a page, for what is short. */
function textsOf(html: string, pattern: RegExp): readonly string[] {
  const plain = (text: string): string =>
    text
      .replace(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
  return [...html.matchAll(pattern)].map(([, text = '']) => plain(text).trim())
}

const headings = (html: string): readonly string[] => textsOf(html, /<summary><h2>(.*?)<\/h2>/gs)

describe('a run in CI', () => {
  let project: InstalledProject
  let run: RunnerRun
  const read = (path: string): string => readFileSync(join(project.root, path), 'utf8')

  beforeAll(async () => {
    project = installProject('reporting')
    const reporters = ['default', 'junit', 'github-actions'].map((name) => `--reporter=${name}`)
    run = await project.run([...reporters, '--outputFile.junit=junit.xml'], {
      GITHUB_ACTIONS: 'true',
      GITHUB_STEP_SUMMARY: join(project.root, 'summary.md'),
    })
  })
  afterAll(() => project[Symbol.dispose]())

  test('ends with the path of the page', () => {
    expect(run.exitCode).toBe(1)
    expect(run.output).toContain(`\nConsoles and files of the machines: ${PAGE}\n`)
  })

  test('leaves a page: what failed first, then what passed after a retry, then the rest', () => {
    expect(headings(read(PAGE))).toEqual([
      'waits for what never comes',
      'two machines › do not agree',
      'fails without a machine',
      'comes right at the second attempt',
      'Passed 2 tests',
      'Skipped 1 test',
    ])
  })

  test('shows on the page the errors, the code, and the machines of each attempt', () => {
    const html = read(PAGE)
    expect(textsOf(html, /<p class="headline">(.*?)<\/p>/gs)).toEqual([
      expect.stringMatching(/^ExpectError "vm" did not print "never" within/),
      expect.stringContaining("AssertionError expected 'side-1' to be 'side-2'"),
      expect.stringContaining('AssertionError expected { answer: 42 } to deeply equal'),
      expect.stringContaining('AssertionError expected +0 to be 1'),
    ])
    expect(textsOf(html, /<mark>(.*?)<\/mark>/gs)[0]).toMatch(/❯ 12 {2}.*await vm\.expect\('never'/)
    expect(textsOf(html, /<h3>(<span class="noun">Machine.*?)<\/h3>/gs)).toEqual([
      'Machine vm',
      'Machine left',
      'Machine right',
      'Machine vm',
    ])
    expect(html).toContain('href="./console.test.ts/comes-right-at-the-second-attempt/vm/console.log"')
    expect(html).toContain('&lt;img src=x onerror=alert(1)>')
    expect(html).not.toContain('<img src=x')
  })

  test('annotates the user’s line with the message, once', () => {
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

  test('adds the consoles to the summary of the job, as code whatever was printed', () => {
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
    // The terminal has said it already.
    expect(run.output).not.toContain('End of the console of "vm":')
  })

  test('removes the page when the next run has nothing to show, and shows nothing of tests that were left out', async () => {
    const green = await project.run(['-t', 'greets'])
    expect(green.exitCode).toBe(0)
    expect(existsSync(join(project.root, PAGE))).toBe(false)
    expect(green.output).not.toContain(PAGE)
  })
})

test('shards that ran in different places are put together into one page', async () => {
  using first = installProject('reporting')
  using second = installProject('reporting')
  using merged = installProject('reporting')
  const runs = await Promise.all(
    [first, second].map((project, index) => project.run(['--reporter=blob', `--shard=${index + 1}/2`])),
  )
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([1, 1])
  for (const { root } of [first, second]) {
    cpSync(join(root, '.vitest'), join(merged.root, '.vitest'), { recursive: true })
  }
  const run = await merged.run([
    '--merge-reports',
    '--reporter=default',
    '--reporter=junit',
    '--outputFile.junit=junit.xml',
  ])
  expect(run.exitCode).toBe(1)
  const html = readFileSync(join(merged.root, PAGE), 'utf8')
  expect(headings(html)).toEqual([
    'waits for what never comes',
    'two machines › do not agree',
    'fails without a machine',
    'comes right at the second attempt',
    'Passed 2 tests',
    'Skipped 1 test',
  ])
  expect(textsOf(html, /<h3>(<span class="noun">Machine.*?)<\/h3>/gs)).toHaveLength(4)
  expect(html).toContain('href="./two-machines.test.ts/two-machines--do-not-agree/left/console.log"')
  const xml = readFileSync(join(merged.root, 'junit.xml'), 'utf8')
  expect(xml).toContain(
    '[[ATTACHMENT|.vitest/coldboot/two-machines.test.ts/two-machines--do-not-agree/left/console.log]]',
  )
})

test('a page is left when a worker died, with what its machine had printed by then', async () => {
  using project = installProject('interrupted')
  const run = await project.run(['dying'])
  expect(run.exitCode).toBe(1)
  const html = readFileSync(join(project.root, PAGE), 'utf8')
  expect(html).toContain('Worker exited unexpectedly')
  expect(headings(html)).toContain('ends with its worker')
  expect(html).toContain('href="./dying.test.ts/ends-with-its-worker/vm/console.log"')
})

test('no page is left where the plugin is told so', async () => {
  using project = installProject('reporting')
  const run = await project.run(['--config=no-page.config.ts', 'two-machines', '-t', 'fails without'])
  expect(run.exitCode).toBe(1)
  expect(existsSync(join(project.root, PAGE))).toBe(false)
})

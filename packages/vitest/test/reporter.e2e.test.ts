import { cpSync, existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { LifeLine, printing } from './machine-processes.ts'
import { runInTerminal } from './terminal-run.ts'

const PAGE = join('.vitest', 'coldboot', 'index.html')

/** The texts of the elements of a page. */
function textsOf(html: string, pattern: RegExp): readonly string[] {
  const plain = (text: string): string =>
    text
      .replace(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
  return [...html.matchAll(pattern)].map(([, text = '']) => plain(text).trim())
}

const headings = (html: string): readonly string[] => textsOf(html, /<summary><h3>(.*?)<\/h3>/gs)

describe('a run in CI', () => {
  let project: InstalledProject
  let run: RunnerRun
  const read = (path: string): string => readFileSync(join(project.root, path), 'utf8')

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('reporting')
    const reporters = ['default', 'junit', 'github-actions'].map((name) => `--reporter=${name}`)
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

  test('shows a command that runs only one test again', async () => {
    const commands = textsOf(read(PAGE), /<code class="rerun">(.*?)<\/code>/gs)
    expect(commands[2]).toBe("npx vitest run two-machines.test.ts -t '^two machines > do not agree$'")
    using again = installProject('reporting')
    expect((await again.shell(commands[2] ?? '')).output).toMatch(/Tests +1 failed \| 2 skipped \(3\)/)
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

  test('removes the page if the next run has nothing to show, and ignores files of tests that did not run', async () => {
    const green = await project.run(['-t', 'greets'])
    expect(green.exitCode).toBe(0)
    expect(existsSync(join(project.root, PAGE))).toBe(false)
    expect(green.output).not.toContain(PAGE)
  })
})

/** The jobs of the examples in docs/ci as scripts. */
const JOBS: readonly [name: string, shard: (index: number) => readonly [string, NodeJS.ProcessEnv], report: string][] =
  [
    ['GitHub', (index) => [githubStep('test', index), {}], githubStep('report', 0)],
    [
      'GitLab',
      (index) => [gitlabScript('test'), { CI_NODE_INDEX: `${index + 1}`, CI_NODE_TOTAL: '2' }],
      gitlabScript('report'),
    ],
    ['Kubernetes', (index) => [kubernetesScript(0), { JOB_COMPLETION_INDEX: `${index}` }], kubernetesScript(1)],
  ]

test.for(JOBS)(
  'shards are put together as the example for %s says, wherever they ran',
  async ([name, shard, report]) => {
    using first = installProject('reporting')
    using second = installProject('reporting')
    using merged = installProject('reporting')
    const shards = [first, second]
    const runs = await Promise.all(shards.map((project, index) => project.shell(...shard(index))))
    // In Kubernetes only the report job fails.
    expect(runs.map(({ exitCode }) => exitCode)).toEqual(name === 'Kubernetes' ? [0, 0] : [1, 1])
    const SHARDS = join(merged.root, 'shards')
    for (const [index, { root }] of shards.entries()) {
      const target = name === 'Kubernetes' ? join(SHARDS, `${index}`) : join(merged.root, '.vitest')
      cpSync(join(root, '.vitest'), target, { recursive: true })
    }
    mkdirSync(join(merged.root, '.vitest'), { recursive: true })
    const run = await merged.shell(report, { SHARDS })
    expect(run.exitCode, run.output).toBe(1)
    const html = readFileSync(join(merged.root, PAGE), 'utf8')
    expect(headings(html)).toEqual([
      'waits for what never comes',
      'comes right at the second attempt',
      'two machines › do not agree',
      'fails without a machine',
    ])
    expect(textsOf(html, /<h4>(<span class="noun">Machine.*?)<\/h4>/gs)).toHaveLength(4)
    const left = 'two-machines.test.ts/two-machines--do-not-agree/left/console.log'
    expect(html).toContain(`href="./${left}"`)
    expect(existsSync(join(merged.root, '.vitest', 'coldboot', left))).toBe(true)
    expect(readFileSync(join(merged.root, '.vitest', 'junit.xml'), 'utf8')).toContain(
      `[[ATTACHMENT|.vitest/coldboot/${left}]]`,
    )
  },
)

function example(name: string): readonly unknown[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../docs/ci/${name}`, import.meta.url)), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJSON())
}

/** The step of a job that runs Vitest. */
function githubStep(job: string, index: number): string {
  const [workflow] = example('github.yml') as [{ jobs: Record<string, { steps: { run?: string }[] }> }]
  const step = workflow.jobs[job]?.steps.find(({ run }) => run?.includes('vitest run'))
  return step?.run?.replace('${{ matrix.shard }}', `${index + 1}`) ?? ''
}

function gitlabScript(job: string): string {
  const [pipeline] = example('gitlab-ci.yml') as [Record<string, { script: string[] }>]
  return pipeline[job]?.script.join('\n') ?? ''
}

/** @param index of the document */
function kubernetesScript(index: number): string {
  const jobs = example('kubernetes.yaml') as { spec: { template: { spec: { containers: { args: string[] }[] } } } }[]
  return jobs[index]?.spec.template.spec.containers[0]?.args[0] ?? ''
}

test('writes the page after a crash of a worker, with the console up to then', async () => {
  using project = installProject('interrupted')
  const run = await project.run(['dying'])
  expect(run.exitCode).toBe(1)
  const html = readFileSync(join(project.root, PAGE), 'utf8')
  expect(html).toContain('Worker exited unexpectedly')
  expect(headings(html)).toContain('ends with its worker')
  expect(html).toContain('href="./dying.test.ts/ends-with-its-worker/vm/console.log"')
  // The main process has completed the files before it wrote the page.
  expect(textsOf(html, /<pre class="console-text"[^>]*>(.*?)<\/pre>/gs).join('\n')).toContain('last-words-1')
  expect(html).toContain('class="replay"')
})

test('writes the page of an interrupted run with its machines', async () => {
  using project = installProject('interrupted')
  using life = new LifeLine()
  const run = project.start(['endless'], { COLDBOOT_TEST_LIFE: life.path })
  const begun = life.begun.then(() => printing(join(project.root, '.vitest/coldboot/endless.test.ts/never-ends/vm')))
  await Promise.race([begun, run.ended])
  process.kill(run.pid, 'SIGINT')
  expect((await run.ended).exitCode).toBe(130)
  const html = readFileSync(join(project.root, PAGE), 'utf8')
  expect(html).toContain('<title>1 test interrupted</title>')
  expect(headings(html)).toEqual(['never ends'])
  expect(html).toContain('href="./endless.test.ts/never-ends/vm/console.log"')
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

test('shows the tests inside a guest with the attempt that ran them', async () => {
  using project = installProject('guest-tests')
  await project.run([])
  const html = readFileSync(join(project.root, PAGE), 'utf8')
  expect(textsOf(html, /<h4>(<span class="noun">Tests inside.*?)<\/h4>/gs).length).toBeGreaterThan(0)
  expect(textsOf(html, /<li class="failed">(<span class="state">.*?)<\/li>/gs).join('\n')).toContain('flaky')
})

test('does not add the reporter twice if the configuration contains it', async () => {
  using project = installProject('reporting')
  const args = ['two-machines', '-t', 'fails without', '--reporter=default', '--reporter=@coldboot/vitest/reporter']
  expect((await project.run(args)).output.split(PAGE)).toHaveLength(2)
})

test('keeps failures of other files on the page in watch mode', async () => {
  using project = installProject('reporting')
  const run = runInTerminal(project.root, ['watch'])
  await run.shows('Watching for file changes')
  const before = headings(readFileSync(join(project.root, PAGE), 'utf8'))
  const now = new Date()
  utimesSync(join(project.root, 'console.test.ts'), now, now)
  await run.shows('RERUN')
  await run.shows('Watching for file changes')
  run.type('q')
  await run.ended
  expect(before).toContain('two machines › do not agree')
  expect(headings(readFileSync(join(project.root, PAGE), 'utf8'))).toEqual(before)
})

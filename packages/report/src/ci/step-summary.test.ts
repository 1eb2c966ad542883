import { expect, onTestFinished, test } from 'vitest'
import { SampleProject, sampleAttempt, sampleRun, sampleTest } from '../../test/sample-run.ts'
import { stepSummary } from './step-summary.ts'

function failing(project: SampleProject, name: string, output: string, message = 'it failed') {
  const machines = [project.machine(`x.test.ts/${name.replace(/\W/g, '')}/vm`, { 'console.log': output })]
  return sampleTest(['a group', name], {
    file: 'x.test.ts',
    state: 'failed',
    attempts: [sampleAttempt({ machines, errors: [{ name: 'Error', message, stack: [] }] })],
  })
}

function newProject(): SampleProject {
  const project = new SampleProject()
  onTestFinished(() => project[Symbol.dispose]())
  return project
}

test('a failed test is listed with its message and the end of its console', () => {
  const project = newProject()
  const run = sampleRun(project, [
    sampleTest(['passes']),
    failing(project, 'fails', '\r\n\x1b[31mone\x1b[0m\r\ntwo\r\n'),
  ])
  expect(stepSummary(run, project.page)).toMatchInlineSnapshot(`
    "
    ### Machines of failed tests

    <details><summary>x.test.ts › a group › fails</summary>

    \`\`\`text
    it failed
    \`\`\`

    Console of \`vm\`, files in \`.vitest/coldboot/x.test.ts/fails/vm\`

    \`\`\`text
    one
    two
    \`\`\`

    </details>

    Console replays, timelines and files: see \`.vitest/coldboot/index.html\` in the artifacts of the job.
    "
  `)
})

test('guest output and names cannot break out of their element', () => {
  const project = newProject()
  const evil = '\n```\n`````\n</details><img src=x>\n'
  const summary = stepSummary(sampleRun(project, [failing(project, '<b>`x`</b>\n\n# big', evil, evil)]))
  expect(summary).toContain('<summary>x.test.ts › a group › &lt;b&gt;`x`&lt;/b&gt;  # big</summary>')
  const outside = summary.replace(/^(`{6,})text\n.*?\n\1$/gms, '')
  expect(outside).not.toContain('<img')
  expect(outside).not.toContain('```')
})

test('a run without failed machines has no summary', () => {
  const project = newProject()
  const failed = sampleTest(['fails'], { state: 'failed', attempts: [sampleAttempt()] })
  expect(stepSummary(sampleRun(project, [failed, sampleTest(['passes'])]))).toBe('')
})

test('only the first of many failed tests are listed', () => {
  const project = newProject()
  const tests = Array.from({ length: 32 }, (_, index) =>
    failing(project, `test ${index}`, `${'x'.repeat(500)}\n`.repeat(100)),
  )
  const summary = stepSummary(sampleRun(project, tests))
  expect(summary.match(/<details>/g)).toHaveLength(30)
  expect(summary).toContain('And 2 tests more.')
  // GitHub's limit, which other steps share.
  expect(summary.length).toBeLessThan(512 * 1024)
})

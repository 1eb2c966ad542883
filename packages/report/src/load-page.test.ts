import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { jsonLines, SampleProject, sampleAttempt, sampleRun, sampleTest } from '../test/sample-run.ts'
import { loadPage } from './load-page.ts'

let html: string

afterAll(() => void vi.unstubAllEnvs())

beforeAll(async () => {
  vi.stubEnv('COLDBOOT_EDITOR', 'my-editor:{file}#{line}')
  const { writePage } = await loadPage()
  using project = new SampleProject()
  const long = { key: 'y'.repeat(100), list: [1, null] }
  const machine = project.machine('boot.test.ts/x/vm', {
    'console.txt': '[1.000000] <one>\n[2.500000] two\n',
    'timeline.jsonl': jsonLines(
      { time: 1, kind: 'event', text: 'MIGRATION {"status":"<setup>"}' },
      { time: 2, kind: 'result', text: 'exit code 1: test -e `x`', duration: 5, ok: false },
      { time: 3, kind: 'error', text: 'Give `a <b>`', ok: false, location: '/elsewhere/a b.ts:7:3' },
    ),
    'qmp.jsonl': jsonLines(
      { time: 1, direction: 'sent', message: { execute: 'quit', id: 1 } },
      { time: 2, direction: 'received', message: { return: long, id: 1 } },
    ),
  })
  const message = 'Give `a <b>`, not `open\n\nEnd of the console:\n  <one>\n\nClosest output:\n  `x`\n'
  const errors = [{ name: 'Error', message, stack: [] }]
  const attempts = [sampleAttempt({ errors, machines: [machine] })]
  writePage(sampleRun(project, [sampleTest(['x'], { state: 'failed', line: 3, attempts })]), project.page)
  html = readFileSync(project.page, 'utf8').replaceAll(project.root, '')
})

test('text in backticks is shown as code in sentences, but not in output', () => {
  expect(html).toContain('</span> Give <code>a &lt;b></code>, not `open</p>')
  expect(html).toContain(
    '<figcaption>Closest output</figcaption><pre tabindex="0" role="group" aria-label="Closest output">`x`',
  )
})

test('the console is shown once, as text with times for pages without a recording', () => {
  expect(html.split('&lt;one>')).toHaveLength(2)
  expect(html).toMatch(/<pre class="console-text" data-timed[^>]*> {4}1\.000 {2}&lt;one>\n {4}2\.500 {2}two\n<\/pre>/)
})

test('short JSON is one line, and longer JSON is folded and indented', () => {
  expect(html).toContain(
    '<code>MIGRATION</code> <code class="json">{ <span class="json-key">&quot;status&quot;</span>: ' +
      '<span class="json-string">&quot;&lt;setup>&quot;</span> }</code>',
  )
  expect(html).toContain('<b>quit</b>')
  expect(html).toMatch(/<details><summary>return <span class="note">\{ &quot;key&quot;: &quot;y+…<\/span><\/summary>/)
  expect(html).toContain('<pre class="json">{\n  <span class="json-key">&quot;key&quot;</span>: ')
})

test('source positions are links to the editor in the environment', () => {
  expect(html).toContain('href="my-editor:/elsewhere/a%20b.ts#7"')
  expect(html).toContain('href="my-editor:/boot.test.ts#3"')
  expect(html).toContain('data-copy="boot.test.ts:3"')
})

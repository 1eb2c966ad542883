/** Summary of failed tests and their machines in Markdown, for a CI job. */
import { basename, relative } from 'node:path'
import { errorParts } from '../page/error-parts.ts'
import { counted, formatText } from '../page/format-text.ts'
import type { RunReport, TestReport } from '../run-report.ts'
import { consoleEnd } from './console-end.ts'

/** Maximum number of tests. GitHub limits a summary to 1 MiB, which other steps share. */
const MOST = 30
const LINES = 20

/**
 * Lists the failed tests with the end of each console. Guest output is always quoted as code.
 * @param page path of the page, if there is one
 * @returns an empty string if no test with machines failed
 */
export function stepSummary(run: RunReport, page?: string): string {
  const failed = run.tests.filter(({ state, attempts }) => state === 'failed' && attempts.at(-1)?.machines.length)
  if (failed.length === 0) return ''
  const parts = ['### Machines of failed tests', ...failed.slice(0, MOST).map((test) => testSummary(test, run.root))]
  if (failed.length > MOST) parts.push(`And ${counted(failed.length - MOST, 'test')} more.`)
  if (page !== undefined) {
    parts.push(
      `Console replays, timelines and files: see ${code(relative(run.root, page))} in the artifacts of the job.`,
    )
  }
  // The summary may already contain text that does not end with an empty line.
  return `\n${parts.join('\n\n')}\n`
}

function testSummary(test: TestReport, root: string): string {
  const { errors = [], machines = [] } = test.attempts.at(-1) ?? {}
  const title = html([test.file, ...test.names].join(' › '))
  const retries = test.attempts.length > 1 ? ` (${counted(test.attempts.length, 'attempt')})` : ''
  const messages = errors.map((error) => {
    const { headline, text } = errorParts(error)
    return fenced([headline, text].filter(Boolean).join('\n'))
  })
  const consoles = machines.map((directory) => {
    const end = consoleEnd(directory, LINES)
    const about = `Console of ${code(basename(directory))}, files in ${code(relative(root, directory))}`
    return `${about}\n\n${end ? fenced(end) : '(nothing was printed)'}`
  })
  return [`<details><summary>${title}${retries}</summary>`, ...messages, ...consoles, '</details>'].join('\n\n')
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${text}\n${fence}`
}

function code(text: string): string {
  const ticks = '`'.repeat(Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)) + 1)
  return `${ticks}${text.startsWith('`') || text.endsWith('`') ? ` ${text} ` : text}${ticks}`
}

function html(text: string): string {
  return formatText(text).replaceAll('\n', ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
